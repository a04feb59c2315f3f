"""The closure of a dear part: as exact as the equations of all periods, and differentiable."""

import dataclasses

import numpy as np
import pytest
import torch

from emulator.closures.modes import time_modes
from emulator.errors import ParameterError
from emulator.tests.closures.economy import HORIZON, closure, draws, part_of, solved
from emulator.worlds import get_world

pytestmark = pytest.mark.fast


def as_torch(array):
    return torch.from_numpy(np.ascontiguousarray(array))


def test_it_solves_what_the_equations_of_all_periods_solve():
    theta = draws(6)
    answer = closure().responses(theta, part_of(theta), HORIZON)
    exact = solved(theta)
    assert answer.shape == (6, 2, HORIZON + 1, 3)
    assert np.abs(answer[..., :2] - exact).max() < 1e-5 * np.abs(exact).max()


def test_what_is_answered_by_horizon_agrees_with_what_is_answered_in_modes():
    theta = draws(4)
    in_time = closure(in_time=True).responses(theta, part_of(theta, in_time=True), HORIZON)
    in_modes = closure().responses(theta, part_of(theta), HORIZON)
    # y - a, either as a difference of paths or as what demand answers to the rate
    assert (
        np.abs(in_time[:, 0, :, 2] * 1.0 - in_modes[:, 0, :, 0] + in_time_shock(theta)).max() < 1e-4
    )


def in_time_shock(theta):
    return theta[:, 4:5] * theta[:, 3:4] ** np.arange(HORIZON + 1)


def test_pytorch_gives_the_same_numbers_and_the_slopes_of_differences():
    theta, part = draws(3), part_of(draws(3))
    numbers = closure().responses(theta, part, HORIZON)
    tensors = closure().mapped(as_torch)
    values = as_torch(theta).requires_grad_()
    answer = tensors.responses(values, as_torch(part), HORIZON)
    assert np.abs(answer.detach().numpy() - numbers).max() < 1e-12
    (slope,) = torch.autograd.grad(answer[:, 0, 3, 0].sum(), values)
    for column in (1, 2, 3, 4):
        up, down = theta.copy(), theta.copy()
        up[:, column] += 1e-5
        down[:, column] -= 1e-5
        both = [closure().responses(t, part, HORIZON)[:, 0, 3, 0] for t in (up, down)]
        assert np.allclose(slope[:, column], (both[0] - both[1]) / 2e-5, rtol=1e-5, atol=1e-8)


def test_factors_that_are_sums_of_products_answer_as_what_they_are_equal_to():
    theta, part, summed = draws(3), part_of(draws(3)), closure(summed=True)
    expected = closure().responses(theta, part, HORIZON)
    assert np.abs(summed.responses(theta, part, HORIZON) - expected).max() < 1e-12
    answer = summed.mapped(as_torch).responses(as_torch(theta), as_torch(part), HORIZON)
    assert np.abs(answer.numpy() - expected).max() < 1e-12
    assert summed.sha256 != closure().sha256


@pytest.mark.parametrize("damage", [[[7, 0]], [[6, 99]], [[6, 0]]])
def test_sums_that_cannot_be_are_refused(damage):
    summed = closure(summed=True)
    summed.check()
    closure().check()
    with pytest.raises(ParameterError, match="do not fit"):
        dataclasses.replace(summed, sums=np.array(damage)).check()


def test_slopes_are_finite_where_a_persistence_is_zero():
    theta = draws(2)
    theta[:, [1, 3]] = 0.0
    values = as_torch(theta).requires_grad_()
    answer = closure().mapped(as_torch).responses(values, as_torch(part_of(theta)), HORIZON)
    (slope,) = torch.autograd.grad(answer.square().sum(), values)
    assert bool(torch.isfinite(slope).all())


def test_what_a_shock_does_not_reach_is_exactly_as_before():
    theta, part = draws(3), part_of(draws(3))
    before = closure().responses(theta, part, HORIZON)
    theta[:, 3] = 0.123
    theta[:, 4] *= 2
    after = closure().responses(theta, part, HORIZON)
    assert np.array_equal(before[:, 1], after[:, 1])
    assert np.abs(before[:, 0] - after[:, 0]).max() > 0


def test_a_draw_alone_is_the_same_draw_in_a_batch_and_the_regime_is_at_the_end():
    theta, whole = draws(5), closure()
    part = part_of(theta)
    batch = whole.responses(theta, part, HORIZON)
    alone = whole.responses(theta[2:3], part[2:3], HORIZON)
    assert np.abs(alone[0] - batch[2]).max() < 1e-12
    assert np.array_equal(part[:, whole.margins][:, 0], theta[:, 0] - 0.5)


def test_input_that_does_not_fit_is_refused():
    theta = draws(2)
    part = part_of(theta)
    whole = closure(in_time=True)
    with pytest.raises(ParameterError, match=r"takes a part of \d+ numbers for each of 2 draws"):
        whole.responses(theta, part[:, 1:], HORIZON)
    with pytest.raises(ParameterError, match="answers to 12"):
        whole.responses(theta, part_of(theta, in_time=True), HORIZON + 1)


def test_its_name_changes_with_its_equations():
    assert closure().sha256 == closure().sha256
    assert closure().sha256 != closure(in_time=True).sha256
    # of the time before there were sums
    assert get_world("hank").closure.sha256.startswith("58f5ee8dc3c9f5b8")


def test_modes_are_orthonormal_and_hold_decays_of_all_speeds():
    modes = time_modes(150, 24, 8)
    assert np.allclose(modes.T @ modes, np.eye(24), atol=1e-12)
    for persistence in (0.0, 0.3, 0.7, 0.9, 0.97):
        path = persistence ** np.arange(150)
        assert np.linalg.norm(path - modes @ (modes.T @ path)) < 1e-5 * np.linalg.norm(path)


def test_fewer_observables_are_closed_with_fewer_numbers_of_the_part():
    theta, whole = draws(3), closure(in_time=True)
    part = part_of(theta, in_time=True)
    answer = whole.responses(theta, part, HORIZON)
    for positions in ([0, 1], [2], [2, 0]):
        fewer, numbers = whole.observing(positions)
        fewer.check()
        own = fewer.responses(theta, part[:, numbers], HORIZON)
        assert np.array_equal(own, answer[..., positions])
        assert (len(numbers) < whole.part_size) == (2 not in positions)
        assert np.array_equal(part[:, numbers][:, fewer.margins], part[:, whole.margins])
