"""Ways between codes: arcs against rotations, geodesics where they are known."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, linalg

from vaebook.generation import (
    coin_angles,
    geodesic,
    great_circle,
    path_energy,
    path_length,
    straight_line,
)


def ends(seed, num=4, dim=3):
    noise = np.random.default_rng(seed)
    return (torch.from_numpy(noise.normal(size=(num, dim))) for _ in range(2))


def test_a_straight_line_is_even():
    a, b = ends(0)
    found = straight_line(a, b, 5)
    for step, t in enumerate((0, 0.25, 0.5, 0.75, 1)):
        torch.testing.assert_close(found[step], (1 - t) * a + t * b)


@pytest.mark.equation(
    "eq-generation-great-circle",
    against="rotation by a matrix exponential",
    body="504794ca",
)
def test_a_great_circle_turns_evenly():
    a, b = ends(1)
    a, b = (v / v.norm(dim=1, keepdim=True) for v in (a, b))
    found = great_circle(a, b, 7)
    for start, end, path in zip(
        a.numpy(), b.numpy(), found.transpose(0, 1), strict=True
    ):
        omega = math.acos(start @ end)
        plane = np.outer(end, start) - np.outer(start, end)  # turns start towards end
        turns = plane * omega / math.sin(omega)
        for step, point in enumerate(path.numpy()):
            turn = linalg.expm(turns * step / 6)
            np.testing.assert_allclose(point, turn @ start, atol=1e-10)


def test_a_great_circle_joins_its_ends_and_keeps_a_common_length():
    a, b = ends(2, dim=8)
    found = great_circle(a, b, 9)
    torch.testing.assert_close(found[0], a)
    torch.testing.assert_close(found[-1], b)
    even = great_circle(a, b * a.norm(dim=1, keepdim=True) / b.norm(dim=1)[:, None], 9)
    np.testing.assert_allclose(
        even.norm(dim=-1), a.norm(dim=1).expand(9, -1), rtol=1e-9
    )


def test_codes_in_one_direction_are_joined_by_a_line():
    a, _ = ends(3)
    torch.testing.assert_close(great_circle(a, 3 * a, 5), straight_line(a, 3 * a, 5))


@pytest.mark.parametrize("omega", [0.002, 0.02, 0.09])
def test_a_small_arc_is_no_chord(omega):
    a = torch.tensor([[1.0, 0.0]]).double()
    b = torch.tensor([[math.cos(omega), math.sin(omega)]], dtype=torch.float64)
    middle = great_circle(a, b, 3)[1, 0]
    expected = [math.cos(omega / 2), math.sin(omega / 2)]
    np.testing.assert_allclose(middle, expected, rtol=0, atol=1e-12)


def test_opposite_codes_are_refused():
    a, _ = ends(4)
    with pytest.raises(ValueError, match="no one arc joins them"):
        great_circle(a, -2 * a, 5)


@pytest.mark.parametrize("way", [straight_line, great_circle])
def test_a_way_has_two_points_at_least(way):
    with pytest.raises(ValueError, match="num_points must be at least 2; received 1"):
        way(*ends(5), 1)


@pytest.mark.equation(
    "eq-generation-coin-angle",
    against="quadrature of the Fisher information",
    body="c25e7767",
)
def test_angles_of_coins_are_distances_in_the_fisher_information():
    def root_information(p):
        return 1 / math.sqrt(p * (1 - p))

    for low, high in ((0.1, 0.2), (0.5, 0.9), (0.03, 0.97)):
        expected, _ = integrate.quad(root_information, low, high)
        found = (
            coin_angles(torch.tensor([low, high], dtype=torch.float64)).diff().item()
        )
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.equation(
    "eq-generation-coin-angle", against="the KL of two coins", body="c25e7767"
)
def test_half_of_a_squared_angle_is_a_kl():
    p, q = 0.3, 0.3001
    kl = p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    found = coin_angles(torch.tensor([p, q], dtype=torch.float64)).diff().item()
    assert found**2 / 2 == pytest.approx(kl, rel=1e-3)


def test_certain_coins_have_angles():
    found = coin_angles(torch.tensor([0.0, 1.0]).double())
    np.testing.assert_allclose(found, [0, math.pi], atol=1e-12)
    with pytest.raises(ValueError, match="1 - probs must not be negative"):
        coin_angles(torch.tensor([1.1]))


@pytest.mark.equation("eq-generation-energy", against="numpy norms", body="d82b1b52")
def test_length_and_energy():
    noise = np.random.default_rng(6)
    seen = noise.normal(size=(5, 3, 4))
    steps = np.linalg.norm(np.diff(seen, axis=0), axis=2)  # (4, 3)
    found = torch.from_numpy(seen)
    np.testing.assert_allclose(path_length(found), steps.sum(0), rtol=1e-12)
    np.testing.assert_allclose(path_energy(found), 2 * (steps**2).sum(0), rtol=1e-12)
    assert (path_energy(found) >= path_length(found) ** 2 / 2).all()
    even = straight_line(*ends(7), 6)
    torch.testing.assert_close(path_energy(even), path_length(even) ** 2 / 2)


def on_a_sphere(z):
    """Latitude and longitude, (..., 2), to points of a unit sphere."""
    up, round_ = z[..., 0], z[..., 1]
    parts = up.cos() * round_.cos(), up.cos() * round_.sin(), up.sin()
    return torch.stack(parts, -1)


@pytest.mark.equation(
    "eq-generation-energy", against="arcs of a sphere", body="d82b1b52"
)
def test_the_shortest_way_on_a_sphere_is_a_great_circle():
    start = torch.tensor([[0.9, -1.0], [0.2, 0.0]]).double()
    end = torch.tensor([[0.9, 1.0], [0.7, 0.9]]).double()
    found = on_a_sphere(geodesic(on_a_sphere, start, end, 33))
    arc = great_circle(on_a_sphere(start), on_a_sphere(end), 33)
    np.testing.assert_allclose(found, arc, atol=1e-3)
    angle = (on_a_sphere(start) * on_a_sphere(end)).sum(1).acos()
    chords = 64 * (angle / 64).sin()  # what 32 chords of an arc are long
    np.testing.assert_allclose(path_length(found), chords, rtol=1e-5)
    line = path_length(on_a_sphere(straight_line(start, end, 33)))
    assert (path_length(found) < line - 0.001).all()


def test_of_a_linear_decoder_the_shortest_way_is_the_straight_one():
    noise = np.random.default_rng(8)
    weights = torch.from_numpy(noise.normal(size=(3, 6)))
    start, end = ends(9)
    found = geodesic(lambda z: z @ weights, start, end, 9)
    torch.testing.assert_close(found, straight_line(start, end, 9), atol=1e-6, rtol=0)
