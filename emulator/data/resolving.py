"""Solving again: rows of a data set, and draws that were judged apart, against the world as it is
installed here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import zarr

from emulator.data.layout import PART
from emulator.data.store import DataSet
from emulator.data.verdicts import VERDICTS_FILE, propose, read_verdicts
from emulator.solvers import StateSpace, impulse_response
from emulator.spec import WorldSpec
from emulator.worlds import World, is_known

RESOLVED_ROWS = 64
NOT_HERE = "is not installed here"
"""What a finding says that finds nothing wrong."""

STATE_MATRICES = ("state_transition", "state_impact", "state_observation")
"""A, B and C of `s = A s_1 + B e, y = C s`."""


def stored_theta(group: zarr.Group) -> np.ndarray:
    return np.asarray(group["theta"][:])  # type: ignore[index]


def verdicts(data: DataSet, world: str) -> Iterator[str]:
    """The draws that were judged apart: those that the request asks for, and a sample of them
    judged again.
    """
    request, spec = data.manifest.request, data.spec(world)
    n = request.n_verdicts(world)
    if (VERDICTS_FILE in data.world(world).metadata_sha256) != (n > 0):
        yield (
            f"the request asks for {n} verdicts, and the manifest does not hold the file of just as"
            " many"
        )
        return
    if n == 0:
        return
    theta, status = read_verdicts(data.folder, world)
    if theta.shape != (n, spec.n_parameters) or status.shape != (n,):
        yield (
            f"{VERDICTS_FILE} holds theta {theta.shape} and status {status.shape}; expected"
            f" {(n, spec.n_parameters)} and {(n,)}"
        )
        return
    installed = installed_world(data, world)
    if installed is None or not is_solver_of(installed.spec, spec):
        return  # said where rows are solved again
    drawn_again = request.given(world) is None and installed.spec.prior == spec.prior
    if drawn_again and not np.allclose(theta, propose(request, world), rtol=1e-6, atol=0):
        yield f"{VERDICTS_FILE}: theta are not the draws of the prior that the request's seed gives"
        return
    rows = _spread(n, installed)
    wrong = installed.status(theta[rows].astype(np.float64)) != status[rows]
    if wrong.any():
        yield (
            f"{VERDICTS_FILE}: {int(wrong.sum())} of {len(rows)} draws judged again have another"
            f" status, the first is row {rows[wrong][0]}"
        )


def _spread(n: int, world: World) -> np.ndarray:
    """Rows spread over n, as few as the world is costly."""
    return np.unique(np.linspace(0, n - 1, min(RESOLVED_ROWS, world.draws_per_task)).astype(int))


def installed_world(data: DataSet, world: str) -> World | None:
    """The world to solve again with: from the texts in the data set, or of this package; None where
    it is neither, and where the draws were imported.
    """
    request = data.manifest.request
    if world in request.imported:
        return None
    return request.world(world) if is_known(world) or world in request.sources else None


def is_solver_of(installed: WorldSpec, spec: WorldSpec) -> bool:
    """Whether the installed world solves what the data were made of.

    What decides the data is the same: names, ranges, units, regions. Prose, states, declarations
    and files may have changed, and observables been added: whether the responses are what they were
    is seen by solving them.
    """
    if not set(spec.observable_names) <= set(installed.observable_names):
        return False
    return _decisive(installed.observing(spec.observable_names)) == _decisive(spec)


def _decisive(spec: WorldSpec) -> tuple[object, ...]:
    """What a spec says that decides draws and axes of its data."""
    return (
        [(p.name, p.low, p.high, p.unit) for p in spec.parameters],
        spec.shock_names,
        [(o.name, o.unit) for o in spec.observables],
        spec.extrapolation,
        spec.frequency,
    )


def solved_again(data: DataSet, world: str) -> Iterator[str]:
    """Rows spread over the data set, solved again by the world as it is installed here."""
    if world in data.manifest.request.imported:
        return  # it was solved elsewhere; `validate` says so
    installed = installed_world(data, world)
    if installed is None:
        yield (
            f"world '{world}' {NOT_HERE}, so its responses cannot be checked; one of a Python file"
            " is named: emulator validate --world mysim.py:economy"
        )
        return
    spec = data.spec(world)
    if not is_solver_of(installed.spec, spec):
        yield "the installed world's spec differs from the one the data were made with"
        return
    group = data.group(world)
    rows = _spread(data.manifest.request.size(world), installed)
    theta = stored_theta(group)[rows].astype(np.float64)
    observed = [installed.spec.observable_index(name) for name in spec.observable_names]
    irfs = installed.irf(theta, horizon=data.horizon, on_failure="nan")
    solved = {"irfs": irfs[..., observed]}
    if "trajectories" in group:
        shocks = np.asarray(group["shocks"].oindex[rows], dtype=np.float64)  # type: ignore[union-attr]
        paths = installed.simulate(theta, shocks, on_failure="nan")
        solved["trajectories"] = paths[..., observed]
    if "regime" in group:
        solved["regime"] = installed.regime(theta)
    same_states = installed.has_state_space and installed.spec.states == spec.states
    if same_states and "state_transition" in group:
        space = installed.state_space(theta)
        solved |= dict(zip(STATE_MATRICES, (space.A, space.B, space.C[:, observed]), strict=True))
    stored_rows = {
        name: np.asarray(group[name].oindex[rows])  # type: ignore[union-attr]
        for name in (*solved, *(name for name in STATE_MATRICES if name in group))
    }
    if "state_transition" not in solved and "state_transition" in group:
        # Other states may stand for the same economy: what counts is what the matrices answer.
        space = StateSpace(*(stored_rows[name] for name in STATE_MATRICES))
        stored_rows["state_observation"] = impulse_response(space, data.horizon)
        solved["state_observation"] = solved["irfs"]
    if PART in group and installed.closure is not None:
        yield from _parts_again(data, world, installed, rows)
    for name, values in solved.items():
        stored = stored_rows[name]
        axes = tuple(range(1, values.ndim))
        size = np.abs(values).max(axis=axes)
        wrong = ~(np.abs(stored - values).max(axis=axes) <= 1e-6 * np.maximum(size, 1e-6))
        if wrong.any():
            yield (
                f"'{name}': {int(wrong.sum())} of {len(rows)} rows solved again differ from what is"
                f" stored, the first is row {rows[wrong][0]}"
            )


def _parts_again(data: DataSet, world: str, installed: World, rows: np.ndarray) -> Iterator[str]:
    """Parts of the groups of some rows, solved again."""
    stored = data.manifest.request.part(world)
    if stored is None or installed.closure is None:
        return
    if stored.closure_sha256 != installed.closure.sha256:
        yield "the installed world closes its dear part by other equations than the data were made"
        return
    theta = stored_theta(data.group(world))[rows].astype(np.float64)
    parts = data.parts(world, rows)
    solved = installed.dear_part(theta)
    values = parts.values[parts.group]
    wrong = ~(np.abs(values - solved).max(axis=1) <= 1e-6 * np.abs(solved).max(axis=1))
    if wrong.any():
        yield (
            f"'{PART}': {int(wrong.sum())} of {len(rows)} parts solved again differ from what is"
            f" stored, the first is that of row {rows[wrong][0]}"
        )
