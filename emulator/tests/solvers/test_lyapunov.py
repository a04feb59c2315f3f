"""Lyapunov equations against their definition, other programs, and derivatives by hand."""

import numpy as np
import pytest
import torch
from scipy.linalg import solve_discrete_lyapunov

from emulator.solvers import lyapunov

pytestmark = pytest.mark.fast


def random_stack(n=50, d=6, m=3, seed=0, largest=0.99):
    """Stable A (n, d, d) and m shocks' covariances (n, m, d, d)."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, d, d))
    radius = np.abs(np.linalg.eigvals(a)).max(axis=1)
    a *= (rng.uniform(0.2, largest, size=n) / radius)[:, None, None]
    b = rng.normal(size=(n, m, d, 1))
    return a, b @ b.swapaxes(2, 3)


def test_each_right_hand_side_is_solved():
    a, q = random_stack()
    x = lyapunov(a, q)
    assert x.shape == q.shape
    moved = a[:, None] @ x @ a[:, None].swapaxes(2, 3)
    assert np.abs(x - moved - q).max() < 1e-12 * np.abs(x).max()
    for side in range(q.shape[1]):
        np.testing.assert_allclose(lyapunov(a, q[:, side]), x[:, side], rtol=1e-9, atol=1e-12)


def test_scipy_says_the_same():
    a, q = random_stack(n=5, d=4, largest=0.9)
    for k in range(5):
        other = solve_discrete_lyapunov(a[k], q[k, 0])
        np.testing.assert_allclose(lyapunov(a, q)[k, 0], other, rtol=1e-9)


def test_units_do_not_cost_digits():
    a, q = random_stack(d=8)
    units = 10.0 ** np.random.default_rng(1).uniform(-8, 8, size=8)
    x = lyapunov(a * units[:, None] / units, q * units[:, None] * units)
    size = np.sqrt(np.einsum("nmii->nmi", lyapunov(a, q)))
    error = x / (units[:, None] * units) - lyapunov(a, q)
    assert (np.abs(error) / (size[..., :, None] * size[..., None, :])).max() < 1e-9


@pytest.mark.parametrize("root", [0.999, 1 - 1e-6, -0.9999])
def test_slow_roots(root):
    x = lyapunov(np.array([[[root]]]), np.ones((1, 1, 1)))
    np.testing.assert_allclose(x, 1 / (1 - root**2), rtol=1e-9)


def test_roots_on_the_circle_and_outside_are_nan_alone():
    a = np.array([[[1.0]], [[0.5]], [[np.nan]], [[1.1]], [[-1.0]]])
    x = lyapunov(a, np.ones((5, 1, 1)))[:, 0, 0]
    assert np.isnan(x[[0, 2, 3, 4]]).all()
    assert x[1] == pytest.approx(4 / 3)


def test_no_state_and_no_draw():
    assert lyapunov(np.zeros((3, 0, 0)), np.zeros((3, 0, 0))).shape == (3, 0, 0)
    assert lyapunov(np.zeros((0, 2, 2)), np.zeros((0, 2, 2))).shape == (0, 2, 2)


def test_gradients_pass_through():
    a, q = random_stack(n=3, d=3, m=2, largest=0.8)
    tensors = [torch.tensor(m, requires_grad=True) for m in (a, q)]
    np.testing.assert_allclose(lyapunov(*tensors).detach(), lyapunov(a, q), rtol=1e-12)
    weights = torch.as_tensor(np.random.default_rng(2).normal(size=q.shape))
    (lyapunov(*tensors) * weights).sum().backward()
    step = np.zeros_like(a)
    step[1, 0, 2] = 1e-6
    slope = (lyapunov(a + step, q) - lyapunov(a - step, q)) / 2e-6
    assert float(tensors[0].grad[1, 0, 2]) == pytest.approx(
        (slope * weights.numpy()).sum(), rel=1e-6
    )
