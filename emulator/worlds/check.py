"""The conformance suite that every world passes; outsiders run it on their own worlds too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emulator.declarations import interval
from emulator.errors import EmulatorError, ParameterError, WorldCheckError
from emulator.spec import (
    DEFAULT_HORIZON,
    OBSERVABLE_UNITS,
    OBSERVABLES,
    UNKNOWN_UNIT,
    Observable,
    Parameter,
    Shock,
    Status,
)
from emulator.worlds.base import World
from emulator.worlds.check_declared import (
    declared_responses_stay,
    shocks_have_their_own_parameters,
)
from emulator.worlds.check_simulator import remarks, run_checks
from emulator.worlds.expectations import close, expect
from emulator.worlds.linear import LinearWorld
from emulator.worlds.simulator import Simulator

RESIDUAL_TOLERANCE = 1e-10

PATH_TOLERANCE = 1e-10
"""The same for an impulse asked for as a path of shocks."""

PART_TOLERANCE = 1e-3
"""Of a response's peak; a closure on time modes errs by far less, but where a path ends late."""

SCALES = (1e-300, 1e-30, 1e30, -1e30, 1e300)

MOST_DEAR_DRAWS = 8
"""Odd draws that are asked for where a draw takes seconds."""


def check_world(
    world: World, *, n: int = 64, seed: int = 0, horizon: int = DEFAULT_HORIZON
) -> tuple[str, ...]:
    """Run every check on n draws from the prior; what a world leaves out and what that costs, and
    what else is worth a look, in sentences.

    Raises `WorldCheckError` that lists all checks that failed.

    Checked: shapes, dtypes and finiteness; units and names; determinism; draws within their range
    and held by float32; a batch equals its single draws; input is refused when malformed; refused
    draws have no responses; responses fade; simulation and paths of shocks agree with the IRF;
    linearity in shock size (linear worlds); which parameters are a shock's own; which responses
    parameters and shocks leave alone; the state space and the residual (where there is one); that
    the dear part closes to the responses (where there is one). Of a
    simulator its function is also called itself (`emulator.worlds.check_simulator`).
    """
    theta = world.sample(n, np.random.default_rng(seed))
    horizon = min(horizon, world.longest_horizon or horizon)
    own = run_checks(world, theta, horizon) if isinstance(world, Simulator) else []
    failures = list(own)
    for check in CHECKS:
        try:
            check(world, theta, horizon)
        except (AssertionError, EmulatorError) as error:
            failures.append(f"{check.__name__.removeprefix('_')}: {error}")
    if failures:
        raise WorldCheckError(
            f"World '{world.spec.name}' fails {len(failures)} check(s):\n  " + "\n  ".join(failures)
        )
    more = remarks(world, theta, horizon) if isinstance(world, Simulator) else []
    return (*world.lacks, *more)


def _shapes(world: World, theta: np.ndarray, horizon: int) -> None:
    spec = world.spec
    n = len(theta)
    for steps in (0, 1, horizon):
        irf = world.irf(theta, horizon=steps)
        expect(
            irf.shape == (n, spec.n_shocks, steps + 1, spec.n_observables),
            f"irf has shape {irf.shape} at horizon {steps}",
        )
        expect(irf.dtype == np.float64 and np.isfinite(irf).all(), "irf must be finite float64")
    expect(
        world.irf(theta[:0], horizon).shape == (0, spec.n_shocks, horizon + 1, spec.n_observables),
        "an empty batch must give an empty answer",
    )
    if world.has_trajectories:
        path = world.simulate(theta, np.zeros((n, 5, spec.n_shocks)))
        expect(
            path.shape == (n, 5, spec.n_observables) and path.dtype == np.float64,
            f"simulate gives {path.shape} {path.dtype}",
        )


def _units(world: World, theta: np.ndarray, horizon: int) -> None:
    spec = world.spec
    units = dict(zip(spec.observable_names, spec.observable_units, strict=True))
    for name, unit in zip(OBSERVABLES, OBSERVABLE_UNITS, strict=True):
        expect(
            units.get(name, unit) in (unit, UNKNOWN_UNIT),
            f"'{name}', by which worlds are compared, is in {units.get(name)}; expected {unit}, or"
            " another name",
        )
    named: list[Parameter | Shock | Observable] = [
        *spec.parameters,
        *spec.shocks,
        *spec.observables,
    ]
    for item in named:
        expect(bool(item.tex and item.meaning), f"'{item.name}' lacks TeX or a meaning")
    expect(all(p.unit for p in spec.parameters), "every parameter needs a unit")


def _draws(world: World, theta: np.ndarray, horizon: int) -> None:
    spec = world.spec
    expect(
        theta.dtype == np.float64 and theta.shape[1] == spec.n_parameters,
        f"sample gives {theta.shape} {theta.dtype}",
    )
    expect(
        ((theta >= spec.low - 1e-6) & (theta <= spec.high + 1e-6)).all(),
        "a draw lies outside the declared range",
    )
    expect(
        (theta == theta.astype(np.float32)).all(),
        "draws must be rounded to float32 before their status is asked",
    )
    expect(
        (world.status(theta) == Status.OK).all(),
        "sample returned a draw that status does not accept",
    )
    expect(len(np.unique(theta, axis=0)) == len(theta), "sample returned the same draw twice")
    expect((theta.std(axis=0) > 0).all(), "a parameter does not vary over the prior")
    expect((world.status(spec.theta()) == Status.OK).all(), "the defaults have no solution")


def _determinism(world: World, theta: np.ndarray, horizon: int) -> None:
    again = [world.sample(8, np.random.default_rng(3)) for _ in range(2)]
    expect((again[0] == again[1]).all(), "the same generator state gave other draws")
    other = world.sample(8, np.random.default_rng(4))
    expect((again[0] != other).any(axis=1).all(), "another seed gave the same draws")
    expect(
        (world.irf(theta, horizon) == world.irf(theta, horizon)).all(),
        "the same theta gave other responses",
    )


def _batch_equals_single(world: World, theta: np.ndarray, horizon: int) -> None:
    batch = world.irf(theta, horizon=horizon)
    single = np.concatenate([world.irf(row[None], horizon=horizon) for row in theta[:16]])
    close(single, batch[:16], "a draw alone against the same draw in a batch")
    order = np.random.default_rng(1).permutation(len(theta))
    close(world.irf(theta[order], horizon=horizon), batch[order], "the batch in another order")


def _horizons_agree(world: World, theta: np.ndarray, horizon: int) -> None:
    short = min(7, horizon)
    close(
        world.irf(theta, horizon=short),
        world.irf(theta, horizon=horizon)[:, :, : short + 1],
        "a short horizon against a long one",
    )


def _refuses_bad_input(world: World, theta: np.ndarray, horizon: int) -> None:
    broken = theta[:2].copy()
    broken[1, 0] = np.nan
    for what, bad in (
        ("a NaN", broken),
        ("a column too few", theta[:, 1:]),
        ("one dimension", theta[0]),
    ):
        try:
            world.irf(bad, horizon)
        except ParameterError:
            continue
        expect(False, f"theta with {what} was not refused with ParameterError")


def _refused_draws_have_no_responses(world: World, theta: np.ndarray, horizon: int) -> None:
    """Responses and paths are NaN just where the status is not `Status.OK`, however odd the draws,
    and none of them ends the batch or moves an ordinary draw in it.
    """
    spec = world.spec
    odd = np.concatenate([theta[:1], hostile_draws(world, theta[0])])
    possible = spec.possible(odd)
    with np.errstate(all="ignore"):
        status = world.status(odd)
    expect(
        ((status == Status.OUTSIDE_BOUNDS) == ~possible).all(),
        "a draw outside the bounds of a parameter, and no other, has the status outside_bounds",
    )
    shocks, short = np.ones((len(odd), 3, spec.n_shocks)), min(3, horizon)
    with np.errstate(all="ignore"):
        answers = [("irf", world.irf(odd, horizon=short, on_failure="nan"))]
        if world.has_trajectories:
            answers.append(("simulate", world.simulate(odd, shocks, on_failure="nan")))
    for what, answer in answers:
        axes = tuple(range(1, answer.ndim))
        answered = np.isfinite(answer).all(axis=axes)
        expect((answered == (status == Status.OK)).all(), f"{what} and status disagree")
        expect(np.isnan(answer[~answered]).all(), f"{what} gives numbers for a refused draw")
    alone = world.irf(theta[:1], horizon=short)
    close(answers[0][1][:1], alone, "a draw alone against the same draw among odd ones")


def hostile_draws(world: World, draw: np.ndarray) -> np.ndarray:
    """A draw (P,) with one parameter at a time outside its bounds or of an odd size, as (n, P);
    fewer where draws cost much.
    """
    rows = []
    for column, parameter in enumerate(world.spec.parameters):
        ends = interval(parameter.bounds)
        values = [end for end in (ends.lower - 1, ends.upper + 1) if np.isfinite(end)]
        for value in (*values, *SCALES):
            rows.append(draw.copy())
            rows[-1][column] = value
    return np.array(rows if world.draws_per_task >= 1000 else rows[:MOST_DEAR_DRAWS])


def _returns_to_steady_state(world: World, theta: np.ndarray, horizon: int) -> None:
    if isinstance(world, Simulator):
        return  # may end where it likes; `remarks` says what is left there
    periods = min(2000, world.longest_horizon or 2000)
    irf = np.abs(world.irf(theta, horizon=periods)).max(axis=3)
    expect(
        (irf[:, :, -1] <= 1e-3 * irf.max(axis=2) + 1e-12).all(),
        f"a response has not faded after {periods / world.spec.periods_a_year:g} years",
    )


def _responses_are_alive(world: World, theta: np.ndarray, horizon: int) -> None:
    irf = world.irf(theta, horizon=horizon)
    peak = np.abs(irf).max(axis=(2, 3))
    # A bound may take a shock's whole effect away at some draws, a linear solution never.
    expect(
        (peak > 0).all() if world.spec.linear else (np.median(peak, axis=0) > 0).all(),
        "a shock moves nothing at some draw",
    )
    known = [k for k, unit in enumerate(world.spec.observable_units) if unit in OBSERVABLE_UNITS]
    if known:
        size = np.median(np.abs(irf[..., known]).max(axis=(2, 3)))
        expect(1e-4 < size < 1e3, f"median peak response {size:.1e}: check the units")


def _simulation_agrees(world: World, theta: np.ndarray, horizon: int) -> None:
    if not world.has_trajectories:
        return
    base = np.zeros((len(theta), horizon + 1, world.spec.n_shocks))
    still = world.simulate(theta, base)
    irf = world.irf(theta, horizon=horizon)
    for shock in range(world.spec.n_shocks):
        pulse = base.copy()
        pulse[:, 0, shock] = 1.0
        close(
            world.simulate(theta, pulse) - still,
            irf[:, shock],
            f"simulated impulse of shock {shock} against irf",
        )


def _paths_of_shocks_agree(world: World, theta: np.ndarray, horizon: int) -> None:
    """An impulse in the first period is `irf`; the response to a path is the simulated path with
    the shocks minus that without; in linear worlds the opposite path has the opposite response.
    """
    few, spec = theta[:8], world.spec
    if not (world.has_trajectories or spec.linear):
        return
    irf = world.irf(few, horizon=horizon)
    for shock in range(spec.n_shocks):
        impulse = np.zeros((1, spec.n_shocks, 1))
        impulse[0, shock] = 1.0
        close(
            world.response_to_path(few, impulse, horizon),
            irf[:, shock],
            f"a path of one impulse of shock {shock} against irf",
            PATH_TOLERANCE,
        )
    path = np.random.default_rng(6).normal(size=(len(few), spec.n_shocks, min(6, horizon + 1)))
    answer = world.response_to_path(few, path)
    if world.has_trajectories:
        shocks = path.transpose(0, 2, 1)
        still = world.simulate(few, np.zeros_like(shocks))
        close(answer, world.simulate(few, shocks) - still, "a path of shocks against simulate")
    if spec.linear:
        close(world.response_to_path(few, -path), -answer, "the opposite path of shocks")


def _steady_state_is_at_rest(world: World, theta: np.ndarray, horizon: int) -> None:
    """Without shocks nothing moves, from the first period on or, where theta holds an initial
    state, once that has faded.
    """
    if not world.has_trajectories:
        return
    away = any(p.role == "initial_state" for p in world.spec.parameters)
    still = world.simulate(theta, np.zeros((len(theta), 530 if away else 30, world.spec.n_shocks)))[
        :, -30:
    ]
    close(
        still, np.broadcast_to(still[:, :1], still.shape), "the steady state moves without shocks"
    )


def _linear_in_shock_size(world: World, theta: np.ndarray, horizon: int) -> None:
    if not (world.spec.linear and world.has_trajectories):
        return
    shocks = np.random.default_rng(2).normal(size=(len(theta), 50, world.spec.n_shocks))
    still = world.simulate(theta, np.zeros_like(shocks))
    once, thrice = (world.simulate(theta, size * shocks) - still for size in (1.0, -3.0))
    close(thrice, -3.0 * once, "paths are not linear in the size of the shocks")


def _state_space_agrees(world: World, theta: np.ndarray, horizon: int) -> None:
    if not world.has_state_space:
        return
    space = world.state_space(theta)
    expect(space.A.shape[1] == len(world.spec.states), "spec.states does not name the state vector")
    irf = world.irf(theta, horizon=horizon)
    for h in (0, 1, horizon):
        direct = space.C @ np.linalg.matrix_power(space.A, h) @ space.B
        close(irf[:, :, h], direct.transpose(0, 2, 1), f"irf[{h}] against C A^{h} B")
    worst = float(world.residual(theta).max()) if isinstance(world, LinearWorld) else 0.0
    expect(
        worst < RESIDUAL_TOLERANCE,
        f"a solution has residual {worst:.1e}, expected below {RESIDUAL_TOLERANCE:.0e}",
    )


def _part_closes(world: World, theta: np.ndarray, horizon: int) -> None:
    """The dear part, closed, gives the responses; the parameters that are not dear leave it."""
    if not world.has_part:
        return
    few, spec = theta[:8], world.spec
    part = world.dear_part(few)
    expect(part.ndim == 2 and len(part) == len(few), f"dear_part gives {part.shape}")
    irf = world.irf(few, horizon=horizon)
    closed = world.from_part(few, part, horizon)
    expect(closed.shape == irf.shape, f"from_part gives {closed.shape}")
    peak = np.abs(irf).max(axis=2, keepdims=True)
    worst = float((np.abs(closed - irf) / np.where(peak > 0, peak, 1.0)).max())
    expect(
        worst <= PART_TOLERANCE,
        f"what the part closes to differs from irf by {worst:.1e} of a response's peak",
    )
    others = few[np.arange(len(few)) - 1]
    columns = [spec.index(name) for name in world.dear]
    others[:, columns] = few[:, columns]
    expect(
        np.array_equal(world.dear_part(others), part),
        "a parameter that is not among `dear` moves the dear part",
    )


CHECKS: tuple[Callable[[World, np.ndarray, int], None], ...] = (
    _shapes,
    _units,
    _draws,
    _determinism,
    _batch_equals_single,
    _horizons_agree,
    _refuses_bad_input,
    _refused_draws_have_no_responses,
    _returns_to_steady_state,
    _responses_are_alive,
    _simulation_agrees,
    _paths_of_shocks_agree,
    _steady_state_is_at_rest,
    _linear_in_shock_size,
    shocks_have_their_own_parameters,
    declared_responses_stay,
    _state_space_agrees,
    _part_closes,
)
