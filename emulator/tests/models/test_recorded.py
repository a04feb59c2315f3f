"""Single draws are played back from a recording: faster, and the same bit for bit."""

import copy

import pytest
import torch

from emulator.models import load
from emulator.models.check import _statistics, _theta
from emulator.models.universal import UniversalEmulator
from emulator.models.universal.recorded import AFTER, Recordings
from emulator.worlds import get_world

pytestmark = pytest.mark.fast


@pytest.fixture
def shipped():
    return copy.deepcopy(load("universal").network)


@pytest.mark.parametrize("horizon", [40, 7])
@pytest.mark.parametrize("world", ["nk", "lss", "zlb", "sw07"])
def test_answers_from_a_recording_are_those_of_before_bit_for_bit(shipped, world, horizon):
    theta = _theta(get_world(world).spec, AFTER + 6)
    with torch.inference_mode():
        first = [shipped(draw[None], world, horizon) for draw in theta[: AFTER - 1]]
        later = [shipped(draw[None], world, horizon) for draw in theta[AFTER - 1 :]]
        assert (world, horizon) in shipped._recordings._kept
        again = [shipped(draw[None], world, horizon) for draw in theta[: AFTER - 1]]
        shipped._recordings = Recordings()
        unrecorded = [shipped(draw[None], world, horizon) for draw in theta[AFTER - 1 :]]
    assert all(map(torch.equal, first, again))
    assert all(map(torch.equal, later, unrecorded))


def test_a_recording_is_of_the_weights_that_it_was_made_of():
    spec = get_world("rbc").spec
    torch.manual_seed(0)
    network = UniversalEmulator.from_specs({"rbc": spec}, 12).eval()
    network.bind({"rbc": _statistics(spec)}, {"rbc": spec})
    theta = _theta(spec, 1)
    with torch.inference_mode():
        before = [network(theta, "rbc") for _ in range(AFTER + 1)][-1]
    other = copy.deepcopy(network)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(1.1)
    with torch.inference_mode():
        after = network(theta, "rbc")
        assert not torch.equal(after, before)
        twice = network(theta.expand(2, -1), "rbc")[:1]
        torch.testing.assert_close(after, twice, rtol=1e-4, atol=1e-5)
        assert torch.equal(other(theta, "rbc"), before)


def test_a_recorded_world_still_has_gradients(shipped):
    theta = _theta(get_world("nk").spec, 1)
    with torch.inference_mode():
        for _ in range(AFTER + 1):
            shipped(theta, "nk")
    asked = theta.clone().requires_grad_()
    shipped(asked, "nk").sum().backward()
    assert asked.grad.abs().max() > 0
