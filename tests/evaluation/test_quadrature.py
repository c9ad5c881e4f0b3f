"""Evidence on a grid: against scipy's integrals and against closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from vaebook.autoencoder import Autoencoder
from vaebook.evaluation import grid_log_evidence, grid_log_joint, make_grid
from vaebook.vae import VAE

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.equation(
    "eq-evaluation-grid", against="scipy.integrate.quad, every image", body="42a405b8"
)
def test_evidence_of_one_latent_is_scipys_integral(tiny, log_joint):
    model, x = tiny
    found = grid_log_evidence(model, x, make_grid(1, 9.0, 301))
    truth = [
        integrate.quad(
            lambda z, one=one: np.exp(log_joint(model, one, [z])), -9, 9, epsabs=1e-14
        )[0]
        for one in x
    ]
    np.testing.assert_allclose(found, np.log(truth), rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-grid", against="scipy.integrate.dblquad", body="42a405b8"
)
def test_evidence_of_two_latents_is_scipys_integral(plane, log_joint):
    model, x = plane
    found = grid_log_evidence(model, x[:1], make_grid(2, 8.0, 121))
    truth, _ = integrate.dblquad(
        lambda b, a: np.exp(log_joint(model, x[0], [a, b])), -6, 6, -6, 6, epsabs=1e-6
    )
    np.testing.assert_allclose(found, np.log(truth), rtol=1e-8)


@pytest.mark.equation(
    "eq-evaluation-grid",
    against="log p(x) of a linear model in closed form",
    body="42a405b8",
)
def test_evidence_of_a_linear_model_is_the_closed_form(linear, line):
    for model, exact, x in (linear, line):
        found = grid_log_evidence(model, x, make_grid(model.latent_dim, 8.0))
        np.testing.assert_allclose(found, exact.log_evidence(x), rtol=1e-10)


@pytest.mark.equation(
    "eq-evaluation-grid", against="scipy's log p(x, z), point by point", body="42a405b8"
)
def test_log_joint_at_each_point_is_scipys_with_its_cell(tiny, plane, log_joint):
    for (model, x), volume in ((tiny, 0.5), (plane, 0.25)):
        grid = make_grid(model.latent_dim, 3.0, 13)
        found = grid_log_joint(model, x, grid)
        at = grid.points.numpy()
        expected = [log_joint(model, one, at) + np.log(volume) for one in x]
        np.testing.assert_allclose(found, np.stack(expected, 1), rtol=1e-10)


def test_posterior_cells_have_the_moments_of_the_exact_posterior(linear):
    model, exact, x = linear
    grid = make_grid(2, 8.0)
    cells = special.softmax(grid_log_joint(model, x, grid).numpy(), 0)
    points, (mu, cov) = grid.points.numpy(), exact.posterior(x)
    np.testing.assert_allclose(cells.T @ points, mu, rtol=1e-9)
    second = np.einsum("gn,gi,gj->nij", cells, points, points)
    outer = mu[:, :, None] * mu[:, None, :]
    np.testing.assert_allclose(second, outer + cov, rtol=1e-9)


def test_evidences_of_all_images_sum_to_one(tiny):
    model, x = tiny
    total = grid_log_evidence(model, x).exp().sum().item()
    assert total == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("chunk", [1, 7, 200, 201, 10_000])
def test_chunk_size_changes_nothing(tiny, chunk):
    model, x = tiny
    grid = make_grid(1)
    whole = grid_log_joint(model, x, grid).logsumexp(0)
    found = grid_log_evidence(model, x, chunk=chunk)
    np.testing.assert_allclose(found, whole, rtol=1e-12)


@pytest.mark.parametrize("chunk", [60, 500])
def test_decoder_sees_a_chunk_of_points_at_once(plane, chunk, largest_batch):
    model, x = plane
    grid = make_grid(2, num_nodes=25)
    call = lambda: grid_log_evidence(model, x, grid, chunk=chunk)  # noqa: E731
    assert largest_batch(model, call) == chunk


def test_points_at_once_are_five_hundred_unless_said(plane, largest_batch):
    model, x = plane
    assert largest_batch(model, lambda: grid_log_evidence(model, x)) == 500


def test_grid_is_a_square_of_equal_steps():
    grid = make_grid(2, 3.0, 5)
    axis = np.linspace(-3, 3, 5)
    expected = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    np.testing.assert_array_equal(grid.points, expected)
    assert grid.points.dtype == torch.float64
    assert grid.spacing == axis[1] - axis[0] == 1.5
    assert grid.log_cell == pytest.approx(2 * math.log(1.5), rel=1e-12)


def test_grid_of_one_latent_is_a_column():
    grid = make_grid(1)
    assert grid.points.shape == (201, 1)
    assert grid.points.abs().max() == 6
    np.testing.assert_allclose(grid.points[:, 0].diff(), grid.spacing, rtol=1e-12)
    assert grid.log_cell == pytest.approx(math.log(0.06), rel=1e-12)


def test_default_grid_has_the_models_latents(plane):
    model, x = plane
    found = grid_log_evidence(model, x)
    assert torch.equal(found, grid_log_evidence(model, x, make_grid(2)))


@pytest.mark.parametrize(("share", "least", "most"), [(1, 0, 1e-8), (0.5, 5e-3, 2e-2)])
def test_gaussian_of_a_spacings_width_is_integrated_as_promised(share, least, most):
    """To 1e-8 if sigma is the spacing, to about a hundredth if it is half of it."""
    grid = make_grid(1)
    points = grid.points[:, 0].numpy()
    centre = np.linspace(0, grid.spacing, 9)[:, None]  # anywhere between two points
    density = stats.norm.pdf(points, centre, share * grid.spacing)
    off = np.abs(density.sum(1) * grid.spacing - 1).max()
    assert least <= off < most


def test_half_the_spacing_squares_the_error_and_more(line):
    """Faster than any power: from some per cent to nothing in two halvings."""
    model, exact, x = line
    errors = []
    for nodes in (13, 25, 49):
        found = grid_log_evidence(model, x, make_grid(1, 9.0, nodes))
        errors.append((found - exact.log_evidence(x)).abs().max().item())
    assert 1e-2 < errors[0] < 1
    assert errors[1] < errors[0] ** 2
    assert errors[2] < 1e-12


def test_single_precision_model_gets_an_answer_in_double(tiny):
    model, x = tiny
    truth = grid_log_evidence(model, x)
    found = grid_log_evidence(model.float(), x.float())
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, truth, rtol=1e-5)
    cells = grid_log_joint(model, x.float(), make_grid(1))
    assert cells.dtype == torch.float64


def test_answer_has_no_graph(tiny):
    model, x = tiny
    assert not grid_log_evidence(model, x).requires_grad


@pytest.mark.parametrize("latent_dim", [0, 3, 10])
def test_more_latents_than_two_are_refused_with_advice(latent_dim):
    message = (
        rf"1 to 2 latents; received {latent_dim}, which are 201\^{latent_dim} points. "
        "Try annealed_log_evidence"
    )
    with pytest.raises(ValueError, match=message):
        make_grid(latent_dim)


def test_model_of_three_latents_is_refused(rng):
    model = VAE(4, (5,), 3, rng=rng)
    with pytest.raises(ValueError, match=r"received 3, which are 201\^3 points"):
        grid_log_evidence(model, torch.ones(2, 4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_nodes": 1}, "num_nodes must be at least 2; received 1"),
        ({"half_width": 0.0}, "half_width must be above 0 and finite; received 0"),
        ({"half_width": math.inf}, "half_width must be above 0 and finite; received i"),
    ],
)
def test_grid_without_a_step_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_grid(1, **arguments)


def test_chunk_of_nothing_is_refused(tiny):
    model, x = tiny
    with pytest.raises(ValueError, match="chunk must be at least 1; received 0"):
        grid_log_evidence(model, x, chunk=0)


def test_model_without_a_density_is_refused(tiny, rng):
    with pytest.raises(TypeError, match="received Autoencoder"):
        grid_log_evidence(Autoencoder(3, (4,), 1, rng=rng), tiny[1])


def test_one_image_without_its_axis_is_refused(tiny):
    model, x = tiny
    with pytest.raises(ValueError, match=r"x must be \(N, D\).* received \(3,\)"):
        grid_log_evidence(model, x[0])
