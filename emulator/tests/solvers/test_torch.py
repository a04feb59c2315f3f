"""PyTorch tensors pass through the same code, with gradients."""

import numpy as np
import pytest
import torch

from emulator.solvers import (
    StateSpace,
    Structure,
    impulse_response,
    simulate,
    solve_equations,
    solve_linear_re,
)
from emulator.spec import Status
from emulator.tests.solvers.random_models import random_models
from emulator.worlds import get_world
from emulator.worlds.nk import OBSERVATION, SPEC, STRUCTURE, equations

pytestmark = pytest.mark.fast


def torch_irf(theta, horizon=8):
    solution = solve_equations(equations, theta, STRUCTURE)
    loadings = torch.as_tensor(OBSERVATION).expand(len(theta), 3, 6)
    return (
        impulse_response(StateSpace(solution.transition, solution.impact, loadings), horizon),
        solution.status,
    )


def test_tensors_in_tensors_out_and_the_same_numbers():
    theta = get_world("nk").propose(200, np.random.default_rng(0))
    irf, status = torch_irf(torch.as_tensor(theta), horizon=40)
    assert isinstance(irf, torch.Tensor)
    assert irf.dtype == torch.float64
    assert isinstance(status, np.ndarray)
    expected = get_world("nk").irf(theta, on_failure="nan")
    assert np.allclose(irf.numpy(), expected, atol=1e-11, equal_nan=True)


def test_random_models_give_the_same_numbers():
    matrices = random_models(
        60, np.random.default_rng(1), led_only=2, lagged_only=2, static=2, exogenous=2
    )
    here, there = (
        solve_linear_re(*matrices),
        solve_linear_re(*(torch.as_tensor(m) for m in matrices)),
    )
    assert (here.status == there.status).all()
    assert np.allclose(here.transition, there.transition.numpy(), atol=1e-8, equal_nan=True)


def test_simulation_of_tensors():
    space = get_world("lss").state_space(get_world("lss").sample(3, np.random.default_rng(2)))
    shocks = np.random.default_rng(3).normal(size=(3, 20, 2))
    tensors = StateSpace(*(torch.as_tensor(np.array(m)) for m in (space.A, space.B, space.C)))
    assert np.allclose(
        simulate(tensors, torch.as_tensor(shocks)).numpy(), simulate(space, shocks), atol=1e-12
    )


def test_gradient_of_the_responses_is_that_of_central_differences():
    theta = get_world("nk").sample(4, np.random.default_rng(5))
    weights = torch.as_tensor(np.random.default_rng(6).normal(size=(4, 3, 9, 3)))

    def loss(values):
        return (torch_irf(values)[0] * weights).sum(dim=(1, 2, 3))

    leaf = torch.tensor(theta, requires_grad=True)
    loss(leaf).sum().backward()
    for p in range(SPEC.n_parameters):
        step = 1e-5 * max(abs(theta[:, p]).max(), 0.1)
        up, down = theta.copy(), theta.copy()
        up[:, p] += step
        down[:, p] -= step
        numeric = (loss(torch.as_tensor(up)) - loss(torch.as_tensor(down))).numpy() / (2 * step)
        scale = np.maximum(np.abs(numeric), 1.0)
        assert np.abs(leaf.grad[:, p].numpy() - numeric).max() < 1e-5 * scale.max(), (
            SPEC.parameter_names[p]
        )


def test_a_draw_without_solution_does_not_spoil_the_gradients_of_the_others():
    theta = np.repeat(SPEC.theta(), 3, axis=0)
    theta[1, SPEC.index("phi_pi")], theta[1, SPEC.index("phi_y")] = 0.8, 0.0
    leaf = torch.tensor(theta, requires_grad=True)
    irf, status = torch_irf(leaf)
    assert list(status) == [Status.OK, Status.INDETERMINATE, Status.OK]
    irf[[0, 2]].square().sum().backward()
    assert torch.isfinite(leaf.grad[[0, 2]]).all()
    assert torch.equal(leaf.grad[0], leaf.grad[2])


def test_a_singular_draw_does_not_spoil_the_gradients_of_the_others():
    matrices = [torch.tensor(m) for m in random_models(8, np.random.default_rng(7), exogenous=0)]
    good = np.flatnonzero(solve_linear_re(*matrices).status == Status.OK)
    matrices[1][(good[0] + 1) % 8] = 0.0
    good = np.setdiff1d(good, [(good[0] + 1) % 8])
    matrices[1].requires_grad_()
    solve_linear_re(*matrices).transition[good].square().sum().backward()
    assert torch.isfinite(matrices[1].grad[good]).all()


def test_gradient_of_random_models_is_that_of_central_differences():
    """Static and mixed variables, and draws that needed a second attempt."""
    rng = np.random.default_rng(8)
    matrices = random_models(40, rng, led_only=2, lagged_only=2, mixed=1, static=2, exogenous=2)
    structure = Structure.of(*matrices[:3])
    directions = [rng.normal(size=m.shape) * (m != 0) for m in matrices]
    weights = torch.as_tensor(rng.normal(size=matrices[0].shape))

    def loss(step):
        moved = [
            torch.as_tensor(m) + step[:, None, None] * torch.as_tensor(d)
            for m, d in zip(matrices, directions, strict=True)
        ]
        solution = solve_linear_re(*moved, structure=structure)
        return (solution.transition * weights).sum(dim=(1, 2)) + solution.impact.sum(
            dim=(1, 2)
        ), solution.status

    step = torch.zeros(40, dtype=torch.float64, requires_grad=True)
    values, status = loss(step)
    small = 1e-6
    (up, status_up), (down, status_down) = (
        loss(torch.full((40,), s, dtype=torch.float64)) for s in (small, -small)
    )
    good = (status == Status.OK) & (status_up == Status.OK) & (status_down == Status.OK)
    assert good.sum() >= 8
    values[good].sum().backward()
    numeric = (up - down).detach().numpy()[good] / (2 * small)
    assert np.abs(step.grad.numpy()[good] - numeric).max() < 1e-4 * np.abs(numeric).max()
