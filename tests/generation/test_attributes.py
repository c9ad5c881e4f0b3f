"""Ink and slant of drawn strokes, and the direction that changes them."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from vaebook.generation import (
    about_class,
    direction,
    follow_slope,
    ink,
    multiple_for,
    slant,
)


def stroke(lean, height=9, width=15):
    """A line that goes ``lean`` pixels right for each pixel up."""
    image = torch.zeros(height, width).double()
    for row in range(height):
        up = (height - 1) / 2 - row
        image[row, round(width // 2 + lean * up)] = 1
    return image.flatten()


@pytest.mark.parametrize("lean", [-1.0, 0.0, 1.0])
def test_a_stroke_leans_as_it_was_drawn(lean):
    assert slant(stroke(lean), 15).item() == pytest.approx(lean, abs=1e-12)


@pytest.mark.equation(
    "eq-generation-slant", against="weighted least squares of sklearn", body="24b5fc53"
)
def test_slant_is_the_slope_of_a_line_through_the_ink():
    noise = np.random.default_rng(0)
    image = noise.random((6, 7))
    rows, columns = np.mgrid[:6, :7]
    line = LinearRegression().fit(
        -rows.reshape(-1, 1), columns.ravel(), sample_weight=image.ravel()
    )
    found = slant(torch.from_numpy(image.ravel()), 7).item()
    assert found == pytest.approx(line.coef_[0], rel=1e-10)
    doubled = slant(torch.from_numpy(2 * image.ravel()), 7).item()
    assert doubled == pytest.approx(found, rel=1e-12)


def test_a_flat_stroke_leans_nowhere():
    image = torch.zeros(4, 5).double()
    image[1] = 1
    assert slant(image.flatten(), 5).item() == 0
    assert ink(image.flatten()).item() == 5


def test_values_about_the_means_of_their_classes():
    values, y = torch.arange(12.0).view(6, 2), torch.tensor([0, 3, 0, 3, 3, 1])
    found = about_class(values, y).numpy()
    for c in (0, 1, 3):
        own = values.numpy()[y.numpy() == c]
        np.testing.assert_allclose(found[y.numpy() == c], own - own.mean(0))


@pytest.mark.equation(
    "eq-generation-direction", against="numpy, a class at a time", body="d08a6760"
)
@pytest.mark.parametrize("with_classes", [False, True])
def test_a_direction_is_a_covariance_over_a_deviation(with_classes):
    noise = np.random.default_rng(1)
    z, a = noise.normal(size=(50, 3)), noise.normal(size=50)
    y = noise.integers(0, 4, 50) if with_classes else np.zeros(50, dtype=int)
    centred_z, centred_a = z.copy(), a.copy()
    for c in set(y):
        centred_z[y == c] -= z[y == c].mean(0)
        centred_a[y == c] -= a[y == c].mean()
    expected = centred_z.T @ centred_a / 50 / np.sqrt((centred_a**2).mean())
    classes = torch.from_numpy(y) if with_classes else None
    found = direction(torch.from_numpy(z), torch.from_numpy(a), classes)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_class_is_not_mistaken_for_the_attribute():
    """Two classes, apart along one axis, which differ in the attribute, too."""
    noise = np.random.default_rng(2)
    y = torch.from_numpy(noise.integers(0, 2, 4000))
    a = torch.from_numpy(noise.normal(size=4000)) + 3 * y
    z = torch.stack([5.0 * y, a - 3 * y], 1).double()
    mixed, own = direction(z, a), direction(z, a, y)
    assert mixed[0] > 3 * mixed[1]
    assert abs(own[0]) < 1e-9 and own[1] == pytest.approx(1, abs=0.05)


def test_an_attribute_of_other_images_is_refused():
    with pytest.raises(ValueError, match="attribute must be of shape"):
        direction(torch.zeros(4, 2), torch.zeros(3))


def test_the_first_multiple_that_is_enough():
    assert multiple_for(lambda m: 2 * m, 3.0) == pytest.approx(1.5)
    assert multiple_for(lambda m: m**2, 2.0, 4.0) == pytest.approx(1.45)
    assert multiple_for(lambda m: -((m - 2) ** 2) + 4, 3.0) == pytest.approx(1.0)


def test_where_nothing_is_enough_the_largest_rise():
    assert multiple_for(lambda m: 1 - (m - 2) ** 2, 5.0) == pytest.approx(2.0)
    assert multiple_for(lambda m: m, 9.0) == pytest.approx(8.0)


def test_no_rise_is_refused():
    with pytest.raises(ValueError, match="asked must be above 0"):
        multiple_for(lambda m: m, 0.0)


@pytest.mark.equation(
    "eq-generation-climb", against="the shortest step in closed form", body="5e49de05"
)
def test_a_climb_of_a_linear_attribute_is_the_shortest():
    noise = np.random.default_rng(3)
    z, w = torch.from_numpy(noise.normal(size=(5, 4))), noise.normal(size=4)
    found = follow_slope(lambda at: at @ torch.from_numpy(w), z, 2.5, 7)
    np.testing.assert_allclose(found, z.numpy() + 2.5 * w / (w @ w), rtol=1e-10)


@pytest.mark.equation(
    "eq-generation-climb", against="its solution for a square", body="5e49de05"
)
def test_a_climb_of_a_square_follows_its_radius():
    """a = |z|^2: straight outwards, from r to sqrt(r^2 + 3)."""
    z = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, -2.0]]).double()
    found = follow_slope(lambda at: at.square().sum(-1), z, 3.0, 4000)
    radius = z.norm(dim=1, keepdim=True)
    expected = z / radius * (radius.square() + 3).sqrt()
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert z[0, 0] == 1  # the codes given stay


def test_a_climb_moves_each_code_for_itself():
    z = torch.tensor([[1.0], [2.0], [3.0]]).double()
    both = follow_slope(lambda at: at[:, 0] ** 3, z, 1.0)
    alone = torch.cat(
        [follow_slope(lambda at: at[:, 0] ** 3, row[None], 1.0) for row in z]
    )
    np.testing.assert_allclose(both, alone, rtol=1e-12)


def test_a_climb_without_steps_is_refused():
    with pytest.raises(ValueError, match="num_steps must be at least 1; received 0"):
        follow_slope(lambda at: at.sum(-1), torch.zeros(2, 3), 1.0, 0)
