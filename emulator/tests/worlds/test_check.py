"""The conformance suite passes on every world of the table, and fails on worlds that are broken on
purpose.
"""

import dataclasses

import numpy as np
import pytest

from emulator.errors import WorldCheckError
from emulator.solvers import StateSpace
from emulator.spec import Moves
from emulator.tests.worlds.altered import observing
from emulator.worlds import WORLDS, check_world, get_world
from emulator.worlds.lss import LinearStateSpace
from emulator.worlds.nk import NewKeynesian

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    "name", [name for name in WORLDS if not name.startswith("hank")]
)  # dear draws: test_hank.py and test_hank2.py, with fewer
def test_every_world_passes(name):
    check_world(get_world(name), n=24, seed=1)


@pytest.mark.parametrize(
    "observables", [("wages",), ("output", "hours"), ("a", "b", "rate", "c", "d", "e", "f")]
)
def test_a_world_of_any_observables_passes(observables):
    check_world(observing(*observables, frequency="month"), n=16)


class WrongUnit(NewKeynesian):
    spec = NewKeynesian.spec.model_copy(
        update={
            "observables": tuple(
                o.model_copy(update={"unit": "percent"}) for o in NewKeynesian.spec.observables
            )
        }
    )


class QuarterlyInDisguise(NewKeynesian):
    """Responses a million times too large: a unit mistaken."""

    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return 1e6 * super().irf(theta, horizon, on_failure=on_failure)


class BatchDependent(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        irf = super().irf(theta, horizon, on_failure=on_failure)
        return irf + 1e-3 * irf.mean(axis=0) if len(irf) else irf


class LateSimulation(NewKeynesian):
    def simulate(self, theta, shocks, *, on_failure="raise"):
        return super().simulate(theta, np.roll(shocks, 1, axis=1), on_failure=on_failure)


class DriftingSimulation(NewKeynesian):
    def simulate(self, theta, shocks, *, on_failure="raise"):
        return (
            super().simulate(theta, shocks, on_failure=on_failure)
            + 0.01 * np.arange(shocks.shape[1])[:, None]
        )


class NonlinearSimulation(NewKeynesian):
    def simulate(self, theta, shocks, *, on_failure="raise"):
        path = super().simulate(theta, shocks, on_failure=on_failure)
        return path + 0.1 * path**3


class UnroundedDraws(NewKeynesian):
    def sample(self, n, rng):
        return super().sample(n, rng) + 1e-12


class DrawsOutOfRange(NewKeynesian):
    def propose(self, n, rng):
        theta = super().propose(n, rng)
        theta[:, 0] += 4.0
        return theta


class FrozenParameter(NewKeynesian):
    def propose(self, n, rng):
        theta = super().propose(n, rng)
        theta[:, 0] = 1.5
        return theta


class AcceptsEverything(NewKeynesian):
    """Hands out draws that its own status refuses."""

    def sample(self, n, rng):
        return self.propose(n, rng).astype(np.float32).astype(np.float64)

    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return np.nan_to_num(super().irf(theta, horizon, on_failure="nan"))


class RandomResponses(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        irf = super().irf(theta, horizon, on_failure=on_failure)
        return irf * (1 + 1e-6 * np.random.default_rng().normal(size=irf.shape))


class IgnoresTheGenerator(NewKeynesian):
    def propose(self, n, rng):
        return super().propose(n, np.random.default_rng(0))


class SwallowsNaN(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return super().irf(np.nan_to_num(theta, nan=1.5), horizon, on_failure=on_failure)


class NeverFades(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        irf = super().irf(theta, horizon, on_failure=on_failure)
        return irf + 0.1 * np.abs(irf).max(axis=(2, 3), keepdims=True)


class DependsOnTheHorizon(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return super().irf(theta, horizon, on_failure=on_failure) * (1 + 1e-4 * horizon)


class SinglePrecision(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return super().irf(theta, horizon, on_failure=on_failure).astype(np.float32)


class DropsImpact(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return super().irf(theta, horizon + 1, on_failure=on_failure)[:, :, 1:]


class OtherStateSpace(NewKeynesian):
    def irf(self, theta, horizon=40, *, on_failure="raise"):
        return 2 * super().irf(theta, horizon, on_failure=on_failure)

    def simulate(self, theta, shocks, *, on_failure="raise"):
        return 2 * super().simulate(theta, shocks, on_failure=on_failure)


class LooseSolution(NewKeynesian):
    def solve(self, theta):
        solution = super().solve(theta)
        return dataclasses.replace(solution, residual=solution.residual + 1e-6)


class DeadShock(LinearStateSpace):
    def state_space(self, theta):
        space = super().state_space(theta)
        return StateSpace(space.A, space.B * np.array([1.0, 0.0]), space.C)


class SharedProcess(NewKeynesian):
    """The monetary shock also moves with rho_u, which is the cost-push shock's by its name."""

    def state_space(self, theta):
        space, rho_u = super().state_space(theta), theta[:, self.spec.index("rho_u")]
        B = space.B.copy()
        B[:, :, 0] *= 1 + 0.1 * rho_u[:, None]
        return StateSpace(space.A, B, space.C)


class SizesInAnotherOrder(NewKeynesian):
    """sigma_r is the size of the monetary shock, sigma_m that of the demand shock."""

    def state_space(self, theta):
        swapped = np.array(theta)
        m, r = self.spec.index("sigma_m"), self.spec.index("sigma_r")
        swapped[:, [m, r]] = swapped[:, [r, m]]
        return super().state_space(swapped)


class DeclaresThatARuleMovesOneShock(NewKeynesian):
    spec = NewKeynesian.spec.model_copy(
        update={
            "parameters": tuple(
                p.model_copy(update={"moves_only": Moves(shocks=("demand",))})
                if p.name == "phi_pi"
                else p
                for p in NewKeynesian.spec.parameters
            )
        }
    )


class DeclaresThatMoneyIsNeutral(NewKeynesian):
    spec = NewKeynesian.spec.model_copy(
        update={
            "shocks": tuple(
                s.model_copy(update={"moves_only": ("inflation", "rate")})
                if s.name == "monetary"
                else s
                for s in NewKeynesian.spec.shocks
            )
        }
    )


BROKEN = {
    DeclaresThatARuleMovesOneShock: "declared_responses_stay: 'phi_pi' moves responses",
    DeclaresThatMoneyIsNeutral: "declared_responses_stay: output moves with the shock monetary",
    SharedProcess: "shocks_have_their_own_parameters: sigma_u, rho_u are of cost_push",
    SizesInAnotherOrder: "shocks_have_their_own_parameters: sigma_m, rho_m are of monetary",
    WrongUnit: "units",
    QuarterlyInDisguise: "responses_are_alive",
    BatchDependent: "batch_equals_single",
    LateSimulation: "simulation_agrees",
    DriftingSimulation: "steady_state_is_at_rest",
    NonlinearSimulation: "linear_in_shock_size",
    UnroundedDraws: "draws: draws must be rounded",
    DrawsOutOfRange: "draws: a draw lies outside",
    FrozenParameter: "draws: a parameter does not vary",
    AcceptsEverything: "draws: sample returned a draw that status does not accept",
    RandomResponses: "determinism",
    IgnoresTheGenerator: "determinism: another seed",
    SwallowsNaN: "refuses_bad_input",
    NeverFades: "returns_to_steady_state",
    DependsOnTheHorizon: "horizons_agree",
    SinglePrecision: "shapes",
    DropsImpact: "simulation_agrees",
    OtherStateSpace: "state_space_agrees",
    LooseSolution: "state_space_agrees: a solution has residual",
    DeadShock: "responses_are_alive: a shock moves nothing",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_world_fails_the_check_that_is_meant_for_it(broken):
    with pytest.raises(WorldCheckError) as caught:
        check_world(broken(), n=24)
    assert f"\n  {BROKEN[broken]}" in str(caught.value)
