"""`check_world` passes an honest simulator and says what it leaves out; it names what is wrong with
others.
"""

import numpy as np
import pytest

from emulator.errors import WorldCheckError
from emulator.tests.worlds.shop import economy, one, shop, to_24
from emulator.worlds import check_world

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    "world",
    [
        shop(economy),
        shop(),
        shop(one, batched=False),
        shop(economy, linear=True),
        shop(status=lambda theta: theta[:, 0] < 0.7),
    ],
)
def test_an_honest_simulator_passes_and_is_told_what_it_lacks(world):
    remarks = check_world(world, n=8)
    lacking = [text.partition(":")[0] for text in remarks if text.startswith("no ")]
    assert ("no simulate" in lacking) == (not world.has_trajectories)
    assert "no state_space" in lacking
    assert ("no argument `horizon`" in lacking) == (not world.takes_horizon)
    assert all(text.endswith(".") and len(text) > 40 for text in remarks)


def test_a_full_simulator_lacks_nothing():
    def matrices(theta):
        rho, slope, sigma = theta.T[:, :, None]
        zero, one = np.zeros_like(rho), np.ones_like(rho)
        a = np.stack([np.hstack([rho, zero]), np.hstack([zero, rho])], axis=1)
        b = sigma[:, :, None] * np.eye(2)
        c = np.stack([np.hstack([one, -one]), np.hstack([slope, one])], axis=1)
        return a, b, c

    def responses(theta, horizon=24):
        a, b, c = matrices(theta)
        powers = [np.linalg.matrix_power(a, h) for h in range(horizon + 1)]
        return np.stack([(c @ p @ b).swapaxes(1, 2) for p in powers], axis=2)

    world = shop(
        responses,
        observables=["sales", "prices"],
        linear=True,
        state_space=matrices,
        states=["d", "s"],
        status=lambda theta: np.ones(len(theta), dtype=bool),
    )
    assert check_world(world, n=8) == ()


def test_what_may_be_meant_is_remarked():
    def stubborn(theta):
        irf = np.ones((len(theta), 2, 25, 5))
        irf *= theta[:, 0, None, None, None]
        return irf

    remarks = check_world(shop(stubborn), n=8)
    assert "slope, sigma: no response moves with it." in remarks
    assert any("still 100% of its peak" in text for text in remarks)


calls = np.random.default_rng(0)


def noisy(theta):
    return to_24(theta) * (1 + 1e-6 * calls.normal())


def averaging(theta):
    irf = to_24(theta)
    return irf + 0.01 * irf.mean(axis=0)


def meddling(theta):
    irf = to_24(theta)
    theta *= 2
    return irf


def deaf(theta, horizon=24):
    return economy(theta, 24)


def hasty(theta, horizon=24):
    return economy(theta, horizon) * (1 + 1 / (1 + horizon))


def constant(theta):
    return to_24(theta * 0 + 0.5)


def mute(theta):
    irf = to_24(theta)
    irf[..., 2] = 0
    return irf


def single(theta):
    return to_24(theta).astype(np.float32)


def moody(theta):
    if len(theta) == 1:
        raise ValueError("never alone")
    return to_24(theta)


answers = []


def tired(theta):
    answers.append(len(theta))
    if len(answers) > 1:
        raise MemoryError("enough")
    return to_24(theta)


@pytest.mark.parametrize(
    ("function", "check", "message"),
    [
        (noisy, "answers_the_same_again", "Fix the seed"),
        (averaging, "a_draw_does_not_depend_on_the_others", "a draw alone and the same draw"),
        (meddling, "leaves_theta_alone", "let it work on a copy"),
        (hasty, "the_horizon_is_heard", "horizon 20 and the same periods of horizon 40"),
        (constant, "responses_depend_on_theta", "does the function read theta"),
        (mute, "responses_depend_on_theta", "hours is zero at every draw"),
        (single, "answers_in_double_precision", "float32; expected float64"),
        (tired, "leaves_theta_alone", "now raises MemoryError: enough"),
        (moody, "a_draw_does_not_depend_on_the_others", "fails now: ValueError: never alone"),
    ],
)
@pytest.mark.filterwarnings("ignore::emulator.errors.SimulatorWarning")
def test_what_is_wrong_is_named(function, check, message):
    with pytest.raises(WorldCheckError, match=f"{check}: .*{message}"):
        check_world(shop(function), n=8)


def test_a_horizon_that_is_ignored_is_named():
    with pytest.raises(WorldCheckError, match=r"the_horizon_is_heard: .*not hear its argument"):
        check_world(shop(deaf), n=8, horizon=24)


def test_matrices_that_are_of_another_model_are_named():
    def wrong(theta):
        ones = np.ones((len(theta), 1, 1))
        return 0.5 * ones, ones * np.ones((1, 2)), ones * np.ones((5, 1))

    with pytest.raises(WorldCheckError, match="state_space_agrees"):
        check_world(shop(state_space=wrong, states=["s"]), n=8)


def test_units_that_contradict_the_names_are_named():
    table = {"output": "euros", "b": "euros", "c": "euros", "d": "euros", "e": "euros"}
    with pytest.raises(
        WorldCheckError, match="'output', by which worlds are compared, is in euros"
    ):
        check_world(shop(observables=table), n=8)
