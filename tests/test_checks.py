"""What the checks let through as it is, and in what words they refuse the rest."""

import math

import numpy as np
import pytest
import torch

from vaebook.checks import (
    at_least,
    cholesky,
    data_matrix,
    finite_draws,
    floating,
    has_shape,
    not_negative,
    positive,
    probabilities,
    same_last_axis,
    same_shape,
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def refused(message):
    return pytest.raises(ValueError, match=f"^{message}$")


# Shapes


def test_last_axes():
    same_last_axis(x=torch.zeros(2, 3), mu=torch.zeros(3), log_var=torch.zeros(5, 1, 3))
    same_last_axis(one=torch.zeros(()), other=torch.ones(()))
    shapes = r"x \(2, 3\), mu \(4,\), log_var \(3,\)"
    with refused(f"the last axes must be equal; received {shapes}"):
        same_last_axis(x=torch.zeros(2, 3), mu=torch.zeros(4), log_var=torch.zeros(3))
    with refused(r"the last axes must be equal; received x \(3,\), mu \(1,\)"):
        same_last_axis(x=torch.zeros(3), mu=torch.zeros(1))


def test_one_shape():
    same_shape(a=torch.zeros(2, 3), b=torch.ones(2, 3))
    with refused(r"a and b must have one shape; received a \(2, 3\), b \(3,\)"):
        same_shape(a=torch.zeros(2, 3), b=torch.ones(3))
    with refused(r"a and b and c must have one shape; received .*c \(2,\)"):
        same_shape(a=torch.zeros(()), b=torch.zeros(()), c=torch.ones(2))


def test_a_shape():
    x = torch.zeros(2, 3)
    assert has_shape("x", x, 2, 3) is x
    assert has_shape("x", x, -1, 3) is x
    assert has_shape("x", x, -1, -1) is x
    one = torch.zeros(())
    assert has_shape("one", one) is one


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((2, 4), r"\(2, 4\)"),
        ((3, 3), r"\(3, 3\)"),
        ((-1, 2), r"\(any, 2\)"),
        ((2,), r"\(2\)"),
        ((-1,), r"\(any\)"),
        ((2, 3, -1), r"\(2, 3, any\)"),
        ((), r"\(\)"),
    ],
)
def test_another_shape(shape, wanted):
    with refused(rf"weights must be of shape {wanted}; received \(2, 3\)"):
        has_shape("weights", torch.zeros(2, 3), *shape)


# Numbers


def test_at_least():
    at_least("num_samples", 2, 2)
    at_least("rate", 0.5, 0)
    with refused("num_samples must be at least 2; received 1"):
        at_least("num_samples", 1, 2)
    with refused("rate must be at least 0; received nan"):
        at_least("rate", math.nan, 0)


@pytest.mark.parametrize("check", [positive, not_negative])
def test_numbers_are_not_rounded_and_tensors_are_themselves(check):
    assert check("sigma", 0.1).dtype == torch.float64
    assert check("sigma", 0.1).item() == 0.1
    assert check("sigma", 3).item() == 3
    for tensor in (torch.ones(2), double([0.1]), torch.ones(2).int(), torch.zeros(0)):
        assert check("var", tensor) is tensor


@pytest.mark.parametrize(
    ("values", "received"),
    [
        (0, "0"),
        (-0.25, "-0.25"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (double([1.0, 0.0, -3.0]), "-3"),
        (double([1.0, 0.0]), "0"),
        (double([[1.0, math.nan], [-2.0, 1.0]]), "nan"),
        (double([1.0, math.inf]), "inf"),
        (double([math.inf, -1.0]), "-1"),
        (torch.tensor([2, -1]), "-1"),
    ],
)
def test_what_is_not_positive(values, received):
    with refused(f"var must be above 0 and finite; received {received}"):
        positive("var", values)


@pytest.mark.parametrize(
    ("values", "received"),
    [
        (-1, "-1"),
        (math.nan, "nan"),
        (double([3.0, -0.5, 0.0]), "-0.5"),
        (double([3.0, math.nan]), "nan"),
        (torch.tensor([0, -4]), "-4"),
    ],
)
def test_what_is_negative(values, received):
    assert not_negative("ones", 0).item() == 0
    with refused(f"ones must not be negative; received {received}"):
        not_negative("ones", values)


def test_a_distribution():
    one, many = double([0.2, 0.8]), torch.full((3, 2, 4), 0.25)
    assert probabilities("weights", one) is one
    assert probabilities("weights", many) is many
    near = double([0.2, 0.8 + 9e-7])
    assert probabilities("weights", near) is near
    assert probabilities("resp", double([0.5, 0.4]), tol=0.2).sum() < 1


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (double([0.5, 0.6]), "sum to 1; received a sum of 1.1"),
        (double([0.2, 0.8 + 2e-6]), "sum to 1; received a sum of 1"),
        (double([[0.5, 0.5], [0.1, 0.2], [0.6, 0.5]]), "sum to 1; .* sum of 0.3"),
        (torch.tensor([2, 3]), "sum to 1; received a sum of 5"),
        (double([]), "sum to 1; received a sum of 0"),
        (double([math.inf, 0.0]), "sum to 1; received a sum of inf"),
        (double([1.5, -0.5]), "not be negative; received -0.5"),
        (double([math.nan, 1.0]), "not be negative; received nan"),
    ],
)
def test_what_is_no_distribution(values, fault):
    with refused(f"weights must {fault}"):
        probabilities("weights", values)


def test_a_float_type():
    x = torch.zeros(2)
    assert floating("x", x) is x
    with refused(r"x must be of a float type; received torch.bool: x.double\(\)"):
        floating("x", x > 0)


# Covariances


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_factor_of_covariances_is_numpys(rng, dtype):
    root = torch.randn(3, 2, 4, 4, generator=rng, dtype=dtype)
    cov = root @ root.mT + torch.eye(4, dtype=dtype)
    found = cholesky("cov", cov)
    assert found.dtype == dtype
    np.testing.assert_allclose(
        found, np.linalg.cholesky(cov.double().numpy()), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        cholesky("cov", cov[0, 0].double()),
        np.linalg.cholesky(cov[0, 0].double().numpy()),
        rtol=1e-10,
    )


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_symmetry_is_judged_by_the_scale_of_each_coordinate(scale):
    """Rounding may differ by a part in a million of sigma_i sigma_j, not by more."""
    cov = scale * double([[4.0, 0.0], [0.0, 9.0]])
    cov[0, 1] += 5e-6 * scale
    found = cholesky("cov", cov)
    np.testing.assert_allclose(found, scale**0.5 * np.diag([2.0, 3.0]), rtol=1e-12)
    cov[0, 1] += 3e-6 * scale
    with refused("cov must be symmetric; received entries that differ by .*"):
        cholesky("cov", cov)


def test_one_small_coordinate_is_judged_by_its_own_scale():
    cov = double([[1e12, 0.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    with refused("cov must be symmetric; received entries that differ by 0.5"):
        cholesky("cov", cov)


@pytest.mark.parametrize(
    ("cov", "fault"),
    [
        (torch.ones(3), r"square; received shape \(3,\)"),
        (torch.ones(()), r"square; received shape \(\)"),
        (torch.ones(2, 3), r"square; received shape \(2, 3\)"),
        (torch.eye(2).long(), r"of a float type; .*int64: scale.double\(\)"),
        (double([[1, math.nan], [math.nan, 1]]), "finite; .* nan or infinity in it"),
        (double([[math.inf, 0], [0, 1]]), "finite; received nan or infinity in it"),
        (double([[1, 0.3], [0.1, 1]]), "symmetric; .* that differ by 0.2"),
        (double([[1, 2], [2, 1]]), "positive definite; .*smallest eigenvalue of -1"),
        (double([[1, 0], [0, 0]]), "positive definite; .*smallest eigenvalue of 0"),
        (double([[0, 1], [0, 0]]), "symmetric; .* that differ by 1"),
        (double([[-1, 2], [0, -1]]), "symmetric; .* that differ by 2"),
    ],
)
def test_what_is_no_covariance(cov, fault):
    with refused(f"scale must be {fault}"):
        cholesky("scale", cov)


def test_one_bad_covariance_among_good_ones():
    cov = torch.eye(2).double().repeat(3, 1, 1)
    cov[1] *= -5
    with refused("cov must be positive definite; .* smallest eigenvalue of -5"):
        cholesky("cov", cov)


# Data


def test_data_to_fit_are_returned_as_they_are():
    x = torch.zeros(3, 2)
    assert data_matrix(x) is x


@pytest.mark.parametrize(
    ("x", "fault"),
    [
        (torch.zeros(5), r"be \(N, D\), .*received \(5,\): one .* inputs\[:, None\]"),
        (torch.zeros(0, 3), r"be \(N, D\), at least one row .*received \(0, 3\): .*"),
        (torch.ones(2, 2).int(), r"be of a float type; .*int32: inputs.double\(\)"),
        (double([[0], [math.nan]]), "be finite; row 1 is not: leave it out or fill it"),
    ],
)
def test_data_are_refused_by_their_name(x, fault):
    with refused(f"inputs must {fault}"):
        data_matrix(x, "inputs")


def test_draws_are_returned_in_double_precision():
    found = finite_draws("values", torch.tensor([1, 2]))
    assert found.dtype == torch.float64 and found.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (torch.ones(1), r"one axis of at least 2 draws; received \(1,\)"),
        (torch.ones(3, 1), r"one axis of at least 2 draws; received \(3, 1\)"),
        (torch.ones(()), r"one axis of at least 2 draws; received \(\)"),
        (double([1.0, math.nan]), "finite; received nan"),
        (double([-math.inf, 1.0]), "finite; received -inf"),
    ],
)
def test_draws_that_are_none(values, fault):
    with refused(f"values must be {fault}"):
        finite_draws("values", values)
