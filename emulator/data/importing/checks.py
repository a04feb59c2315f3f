"""What is refused of draws that were given, and what became of each draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emulator.data.importing.given import BLOCK_BYTES, Given, blocks
from emulator.data.schema import MIN_DRAWS
from emulator.errors import DatasetError, printable
from emulator.files import sha256
from emulator.spec import Status
from emulator.worlds.source import plain_name

NEEDED = (
    f"a data set needs {MIN_DRAWS} at least, since it is split into draws to learn from and draws"
    " to be scored on."
)
SHOWN = 5
"""Parameters of a draw that a message names."""
LOOKED_AT = 4096
"""Draws from which it is seen which parameters move the responses most."""


@dataclass(frozen=True)
class Survey:
    """What became of each draw: theta (n, P) float32, status (n,), and which are there once more,
    (n,) bool, and left out; and how much of the responses each parameter explains, (P,).
    """

    theta: np.ndarray
    status: np.ndarray
    doubled: np.ndarray
    influence: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Draws with responses, the rows of the data set."""
        return (self.status == Status.OK) & ~self.doubled

    @property
    def failed(self) -> np.ndarray:
        """Draws without a solution."""
        return (self.status != Status.OK) & ~self.doubled


def check_names(kind: str, names: Sequence[str], length: int | None = None) -> tuple[str, ...]:
    """Names of parameters, shocks or observables, each once and usable as a keyword.

    Raises `DatasetError`.
    """
    given = (names,) if isinstance(names, str) else tuple(map(str, names))
    option = f"--{kind} (in Python {kind}=)"
    if not given:
        raise DatasetError(
            f"The {kind} have no names. Give them with {option}, separated by commas."
        )
    for name in given:
        if not name or name.startswith("Unnamed:"):
            raise DatasetError(
                f"Among the {kind} is '{printable(name)[:60]}'. Is it the column of row numbers"
                " that pandas writes? Leave it out with to_csv(..., index=False), or name the"
                f" {kind} that count with {option}."
            )
        if not name.isidentifier():
            raise DatasetError(
                f"Among the {kind} is '{printable(name)[:60]}'; expected letters, digits and"
                f" underscores, a letter first, such as '{plain_name(name)}'. Name them with"
                f" {option}."
            )
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(f"The {kind} name '{twice}' twice; expected each once.")
    if length is not None and len(given) != length:
        raise DatasetError(
            f"There are {length} {kind} in the arrays and {len(given)} names:"
            f" {', '.join(given)}. Give a name to each with {option}."
        )
    return given


def check_theta(given: Given) -> np.ndarray:
    """theta (n, P) in single precision, as it is stored. Raises `DatasetError`."""
    theta = given.theta
    if len(theta) < MIN_DRAWS:
        raise DatasetError(
            f"There {'is 1 draw' if len(theta) == 1 else f'are {len(theta)} draws'}; {NEEDED}"
        )
    bad = ~np.isfinite(theta)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DatasetError(
            f"Parameter '{given.parameters[column]}' of draw {row} is {theta[row, column]}, and"
            f" {int(bad.any(axis=1).sum())} draw(s) in all hold such values; expected finite"
            " numbers. A draw without a solution keeps its parameters: it is its responses that are"
            " missing."
        )
    with np.errstate(over="ignore"):
        single = theta.astype(np.float32) + np.float32(0.0)  # one zero, not two
    if not np.isfinite(single).all():
        row, column = np.argwhere(~np.isfinite(single))[0]
        raise DatasetError(
            f"Parameter '{given.parameters[column]}' of draw {row} is {theta[row, column]:g}, which"
            " single precision cannot hold. Give it in another unit."
        )
    for column in np.flatnonzero(single.min(axis=0) == single.max(axis=0)):
        name = given.parameters[column]
        raise DatasetError(
            f"Parameter '{name}' is {single[0, column]:g} in all {len(single)} draws, so that"
            f" nothing can be learnt of it. Leave it out with --drop {name} (drop= in Python)."
        )
    return single


def survey(given: Given, *, drop_duplicates: bool = False) -> Survey:
    """Read all responses once and say what became of each draw.

    Raises `DatasetError` for responses of which a part is missing or not finite, for draws that
    are there twice, for parameters with two answers, for responses that are zero throughout, and
    for too few draws.
    """
    theta = check_theta(given)
    status = _statuses(given)
    repeats = _repeated(theta)
    digests: dict[int, str] = {}
    moves = False
    looked_at = _looked_at(given)
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for start, stop, irf in blocks(given.responses):
        finite = np.isfinite(irf)
        whole, some = finite.all(axis=(1, 2, 3)), finite.any(axis=(1, 2, 3))
        _check_block(given, start, irf, finite, whole, some, status)
        if given.status is None:
            status[start:stop] = np.where(whole, Status.OK, Status.NOT_CONVERGED)
        rows = looked_at[(looked_at >= start) & (looked_at < stop)]
        rows = rows[whole[rows - start] & (status[rows] == Status.OK)]
        seen.append((theta[rows], irf[rows - start]))
        moves = moves or bool((irf[whole] != 0).any())
        for row in repeats.rows_between(start, stop):
            digests[row] = sha256(irf[row - start].tobytes() if whole[row - start] else b"")
    _check_moves(given, status, moves)
    doubled = np.zeros(len(theta), dtype=bool)
    doubled[_doubled(given, repeats, digests, status, drop_duplicates)] = True
    influence = influence_of(*(np.concatenate(parts) for parts in zip(*seen, strict=True)))
    outcome = Survey(theta, status, doubled, influence)
    if outcome.usable.sum() < MIN_DRAWS:
        raise DatasetError(
            f"{int(outcome.usable.sum())} of {len(theta)} draws have responses; {NEEDED}"
        )
    return outcome


def _looked_at(given: Given) -> np.ndarray:
    """Draws, spread over all, from which it is seen which parameters move the responses most."""
    n, *rest = given.responses.shape
    most = min(LOOKED_AT, 2 * BLOCK_BYTES // (4 * int(np.prod(rest))) + 1)
    return np.unique(np.linspace(0, n - 1, most).astype(int))


def influence_of(theta: np.ndarray, irf: np.ndarray) -> np.ndarray:
    """How much of the responses (n, S, H+1, O) each parameter (n, P) explains alone, by a straight
    line: the mean squared correlation, (P,).
    """
    if not len(theta):
        return np.zeros(theta.shape[1])
    flat = irf.reshape(len(irf), -1).astype(np.float64)
    inputs, outputs = _standardised(theta.astype(np.float64)), _standardised(flat)
    return np.mean((inputs.T @ outputs / len(theta)) ** 2, axis=1)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1; zeros where a column does not move."""
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)


def _statuses(given: Given) -> np.ndarray:
    """The given status as codes (n,) uint8; all OK where none was given."""
    n = len(given.theta)
    if given.status is None:
        return np.full(n, Status.OK, dtype=np.uint8)
    raw = np.asarray(given.status)
    if raw.shape != (n,):
        raise DatasetError(f"The status has the shape {raw.shape}; expected ({n},), one a draw.")
    known = {status.label: int(status) for status in Status if status is not Status.MISSING}
    codes = np.empty(n, dtype=np.uint8)
    values, positions = np.unique(raw.astype(str), return_inverse=True)
    for k, value in enumerate(values):
        text = str(value).strip().lower()
        code = known.get(text)
        if code is None and raw.dtype.kind in "iuf" and _is_code(text, known):
            code = int(float(text))
        if code is None and text in map(str, known.values()):
            code = int(text)
        if code is None:
            row = int(np.flatnonzero(positions == k)[0])
            raise DatasetError(
                f"The status of draw {row} is '{printable(str(value))[:40]}'; expected 'ok' (0), or"
                f" why there is no solution: {', '.join(f'{n} ({c})' for n, c in known.items())}."
            )
        codes[positions == k] = code
    return codes


def _is_code(text: str, known: dict[str, int]) -> bool:
    try:
        return float(text) in known.values()
    except ValueError:
        return False


def _check_block(
    given: Given,
    start: int,
    irf: np.ndarray,
    finite: np.ndarray,
    whole: np.ndarray,
    some: np.ndarray,
    status: np.ndarray,
) -> None:
    """Refuse draws of which a part of the responses is missing; all of them are where a draw
    failed.
    """
    counted = status[start : start + len(irf)] == Status.OK
    torn = counted & some & ~whole
    if torn.any():
        row = int(np.flatnonzero(torn)[0])
        s, h, o = np.argwhere(~finite[row])[0]
        raise DatasetError(
            f"Draw {start + row} has {int((~finite[row]).sum())} of {finite[row].size} responses"
            f" that are missing or no finite numbers in single precision, the first that of"
            f" '{given.observables[o]}' to '{given.shocks[s]}' at horizon {h}; expected all of"
            " them, or none where there is no solution."
        )
    if given.status is not None and (counted & ~some).any():
        row = start + int(np.flatnonzero(counted & ~some)[0])
        raise DatasetError(
            f"Draw {row} has the status 'ok' and no responses; expected responses, or another"
            " status."
        )


def _check_moves(given: Given, status: np.ndarray, moves: bool) -> None:
    if (status == Status.OK).any() and not moves:
        raise DatasetError(
            "Every response of every draw is zero; expected responses that move. Was the array"
            " filled?"
        )


class _Repeats:
    """Groups of draws with the same parameters: `first` is the first draw of each draw's group."""

    def __init__(self, first: np.ndarray) -> None:
        self.first = first
        size = np.bincount(first, minlength=len(first))
        self.rows = np.flatnonzero(size[first] > 1)

    def rows_between(self, start: int, stop: int) -> list[int]:
        low, high = np.searchsorted(self.rows, [start, stop])
        return [int(row) for row in self.rows[low:high]]


def _repeated(theta: np.ndarray) -> _Repeats:
    contiguous = np.ascontiguousarray(theta)
    rows = contiguous.view(np.dtype((np.void, contiguous.dtype.itemsize * theta.shape[1]))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return _Repeats(first[inverse])


def _doubled(
    given: Given,
    repeats: _Repeats,
    digests: dict[int, str],
    status: np.ndarray,
    drop_duplicates: bool,
) -> list[int]:
    """Rows that are there once more. Raises `DatasetError` where that was not expected."""
    doubled = []
    for row in map(int, repeats.rows):
        first = int(repeats.first[row])
        if row == first:
            continue
        if digests[row] != digests[first] or status[row] != status[first]:
            values = ", ".join(
                f"{name}={given.theta[row, k]:.6g}"
                for k, name in enumerate(given.parameters[:SHOWN])
            )
            raise DatasetError(
                f"Draws {first} and {row} have the same parameters in single precision ({values})"
                " and different responses. Something else than these parameters moves the"
                " responses: add it to them, or leave one of the draws out."
            )
        doubled.append(row)
    if doubled and not drop_duplicates:
        raise DatasetError(
            f"{len(doubled)} draw(s) are there more than once; the first is draw {doubled[0]},"
            f" which is draw {int(repeats.first[doubled[0]])} again. Scores on draws that were"
            " learnt from say nothing: leave them out with --drop-duplicates (in Python"
            " drop_duplicates=True)."
        )
    return doubled
