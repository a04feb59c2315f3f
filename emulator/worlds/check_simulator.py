"""What is checked of a simulator besides: its function is called itself, and nothing is remembered.

Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emulator.errors import EmulatorError, WorldCheckError, printable
from emulator.worlds.expectations import TOLERANCE, expect
from emulator.worlds.simulator import Simulator

FEW = 16
"""Draws that the function is called with again and again."""

FEW_DEAR = 4
"""The same where a draw may take long."""

LEFT = 0.05
"""Share of the peak that is left at the last horizon where a response counts as not faded."""


def run_checks(simulator: Simulator, theta: np.ndarray, horizon: int) -> list[str]:
    """What is wrong with the function at accepted draws (n, P), each with the name of its check."""
    few = theta[: FEW if simulator.draws_per_task >= 1000 else FEW_DEAR]
    failures = []
    for check in CHECKS:
        try:
            check(simulator, few, horizon)
        except EmulatorError as error:
            failures.append(f"{check.__name__.removeprefix('_')}: {error}")
    return failures


def remarks(simulator: Simulator, theta: np.ndarray, horizon: int) -> list[str]:
    """What is worth a look and may be meant: parameters without effect, responses that go on."""
    spec, few = simulator.spec, theta[:2]
    before = simulator.irf(few, horizon)
    idle = []
    for column, name in enumerate(spec.parameter_names):
        moved = few.copy()
        moved[:, column] = few[::-1, column]
        after = simulator.irf(moved, horizon, on_failure="nan")
        if (after == before).all():
            idle.append(name)
    texts = []
    if idle:
        texts.append(f"{', '.join(idle)}: no response moves with it.")
    size = np.abs(simulator.irf(theta, horizon)).max(axis=(0, 3))
    left = (size[:, -1] / np.maximum(size.max(axis=1), 1e-300)).max()
    if left > LEFT:
        texts.append(
            f"at horizon {horizon} ({horizon} {spec.periods}) a response is still {left:.0%} of its"
            " peak."
        )
    return texts


def _same(left: np.ndarray, right: np.ndarray, what: str) -> None:
    scale = max(float(np.abs(right).max(initial=0.0)), 1e-300)
    error = float(np.abs(left - right).max(initial=0.0)) / scale
    expect(error <= TOLERANCE, f"{what}: responses differ by {error:.1e} of the largest one")


def _answers_in_double_precision(simulator: Simulator, theta: np.ndarray, horizon: int) -> None:
    returned = _returned(simulator, theta.copy(), horizon)
    expect(
        returned.dtype == np.float64,
        f"the function returns {returned.dtype}; expected float64, since a network learns from what"
        " its inputs change",
    )


def _leaves_theta_alone(simulator: Simulator, theta: np.ndarray, horizon: int) -> None:
    given = theta.copy()
    _returned(simulator, given, horizon)
    expect(
        (given == theta).all(),
        "the function changes the array theta that it is given; let it work on a copy",
    )


def _answers_the_same_again(simulator: Simulator, theta: np.ndarray, horizon: int) -> None:
    first, second = (_run(simulator, theta, horizon) for _ in range(2))
    _same(
        first,
        second,
        "the function was called twice with the same theta. Fix the seed of what it draws, and let"
        " it keep nothing between calls",
    )


def _a_draw_does_not_depend_on_the_others(
    simulator: Simulator, theta: np.ndarray, horizon: int
) -> None:
    together = _run(simulator, theta, horizon)
    alone = np.concatenate([_run(simulator, row[None], horizon) for row in theta])
    _same(alone, together, "a draw alone and the same draw in a batch")
    _same(_run(simulator, theta[::-1], horizon)[::-1], together, "the batch in another order")


def _the_horizon_is_heard(simulator: Simulator, theta: np.ndarray, horizon: int) -> None:
    if simulator.takes_horizon:
        short = max(horizon // 2, 1)
        _same(
            _run(simulator, theta, short),
            _run(simulator, theta, horizon)[:, :, : short + 1],
            f"horizon {short} and the same periods of horizon {horizon}",
        )


def _responses_depend_on_theta(simulator: Simulator, theta: np.ndarray, horizon: int) -> None:
    irf = _run(simulator, theta, horizon)
    spread = np.ptp(irf, axis=0)
    expect((spread > 0).any(), "every draw has the same responses: does the function read theta?")
    still = np.abs(irf).max(axis=(0, 1, 2)) == 0
    names = [
        name for name, zero in zip(simulator.spec.observable_names, still, strict=True) if zero
    ]
    expect(not names, f"{', '.join(names)} is zero at every draw, to every shock")


def _run(simulator: Simulator, theta: np.ndarray, horizon: int) -> np.ndarray:
    """Responses at accepted draws; a draw that has none now is a failure of its own."""
    irf, failures = simulator.run(theta, horizon)
    for row, failure in failures.items():
        raise WorldCheckError(f"row {row} was answered before and fails now: {failure.text}")
    return irf


def _returned(simulator: Simulator, theta: np.ndarray, horizon: int) -> np.ndarray:
    """What the function itself returns for a batch, or for the first draw, of this very array."""
    keywords = {"horizon": horizon} if simulator.takes_horizon else {}
    try:
        return np.asarray(simulator(theta if simulator.batched else theta[0], **keywords))
    except Exception as error:
        raise WorldCheckError(
            f"the function answered these draws before, and now raises {type(error).__name__}:"
            f" {printable(str(error))}"
        ) from None


CHECKS: tuple[Callable[[Simulator, np.ndarray, int], None], ...] = (
    _answers_in_double_precision,
    _leaves_theta_alone,
    _answers_the_same_again,
    _a_draw_does_not_depend_on_the_others,
    _the_horizon_is_heard,
    _responses_depend_on_theta,
)
