"""A user's own function, called on draws: its answers are checked, and its failures have reasons.

Axes: n draw.
"""

from __future__ import annotations

import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from emulator.errors import EmulatorError, SimulatorError, SimulatorWarning, printable, warn

REMEMBERED_BYTES = 64 * 2**20
REMEMBERED_FAILURES = 200_000

LONGEST_REASON = 160
"""Letters of a reason that are kept."""

_NUMBERS = re.compile(r"(?<![A-Za-z_])[-+]?\d[\d.]*(?:[eE][-+]?\d+)?")

RESPONSES = "the responses"
"""The role of the function that every simulator has."""

NOT_FINITE = "the answer holds values that are not finite"


MOST_ROWS = 512
"""Draws that a batched function is called with at a time, so that its progress can be seen."""

_listeners: list[Callable[[int, int], None]] = []


@contextmanager
def listening(listener: Callable[[int, int], None]) -> Iterator[None]:
    """Meanwhile a listener hears how many draws a function has just answered, and failed at."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _tell(answered: int, failed: int) -> None:
    for listener in _listeners:
        listener(answered, failed)


class Failure(NamedTuple):
    """Why there is no answer at a draw; `kind` is the same for draws that differ in numbers alone.

    raised: whether the function raised an exception, and did not answer NaN; sentence: the same as
    a clause that names the function.
    """

    text: str
    kind: str
    raised: bool
    sentence: str


class Answers(NamedTuple):
    """What a function returned: arrays (n, ...), NaN at the rows that failed, and why they did."""

    arrays: list[np.ndarray]
    failures: dict[int, Failure]


class Memory:
    """The draws (P,) that were last solved, so that one that is accepted is not solved again; no
    more than `REMEMBERED_BYTES` of responses and `REMEMBERED_FAILURES` of reasons.
    """

    def __init__(self) -> None:
        self._irf: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._failures: OrderedDict[bytes, Failure] = OrderedDict()
        self._bytes = 0

    def __reduce__(self) -> tuple[type[Memory], tuple[()]]:
        """It does not travel to other processes."""
        return type(self), ()

    def irf(self, draw: np.ndarray, horizon: int) -> np.ndarray | None:
        """Responses (S, H+1, O) at a draw, up to a horizon at least, where they are remembered."""
        irf = self._irf.get(draw.tobytes())
        return None if irf is None or irf.shape[1] <= horizon else irf

    def failure(self, draw: np.ndarray) -> Failure | None:
        """Why a draw has no responses, where that is remembered."""
        return self._failures.get(draw.tobytes())

    def fail(self, theta: np.ndarray, failures: Mapping[int, Failure]) -> None:
        """Remember why draws (n, P) failed, by row; the oldest reasons are forgotten."""
        for row, failure in failures.items():
            self._failures[theta[row].tobytes()] = failure
        while len(self._failures) > REMEMBERED_FAILURES:
            self._failures.popitem(last=False)

    def keep(self, theta: np.ndarray, irf: np.ndarray, failures: Mapping[int, Failure]) -> None:
        """Remember draws (n, P), their responses (n, S, H+1, O) and failures by row; the oldest are
        forgotten where there is no more room.
        """
        self.fail(theta, failures)
        size = irf[:1].nbytes
        most = REMEMBERED_BYTES // max(size, 1)
        for row in range(max(0, len(theta) - most), len(theta)):
            if row not in failures:
                earlier = self._irf.pop(theta[row].tobytes(), None)
                self._bytes += size - (0 if earlier is None else earlier.nbytes)
                self._irf[theta[row].tobytes()] = irf[row].copy()
        while self._bytes > REMEMBERED_BYTES:
            self._bytes -= self._irf.popitem(last=False)[1].nbytes


class Call:
    """A function of draws, for all of them in one batch or for one at a time.

    role: what it is of its world, for messages.
    """

    def __init__(
        self, function: Callable[..., Any], arguments: Sequence[str], batched: bool, role: str
    ) -> None:
        self.function = function
        self.batched = batched
        self.name = name_of(function)
        self.written = function
        self.role = role
        self.keywords = _check_signature(function, arguments, self.name)
        self.boolean = False
        """Whether what was last returned says yes and no."""
        self._warned: set[str] = set()

    @property
    def title(self) -> str:
        """The function in a sentence."""
        return f"the function '{self.name}'"

    def stands_for(self, function: Callable[..., Any]) -> None:
        """Name a function that a user wrote in place of one of ours that calls it."""
        self.name = name_of(function)
        self.written = function

    def __call__(
        self, inputs: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], **keywords: Any
    ) -> Answers:
        """Answers at the rows of the inputs, (n, ...) each; shapes: those of one draw's answers.

        The function is given copies. An exception is a failed draw and ends nothing: a batch that
        raises is halved until each draw that does stands alone. Raises `SimulatorError` for an
        answer of another shape or of no numbers, which every draw would have.
        """
        n = len(inputs[0])
        answers = Answers([np.full((n, *shape), np.nan) for shape in shapes], {})
        if self.batched:
            for start in range(0, n, MOST_ROWS):
                rows = np.arange(start, min(start + MOST_ROWS, n))
                self._batch(answers, inputs, rows, keywords)
        else:
            for row in range(n):
                self._one(answers, inputs, row, keywords)
        return answers

    def _batch(
        self, answers: Answers, inputs: Sequence[np.ndarray], rows: np.ndarray, keywords: Any
    ) -> None:
        if not len(rows):
            return
        try:
            returned = self.function(*(array[rows] for array in inputs), **keywords)
        except (Exception, SystemExit) as error:
            failure = self._failure(error)
            if len(rows) == 1:
                answers.failures[int(rows[0])] = failure
                _tell(0, 1)
                return
            self._say_once(failure, len(rows))
            middle = len(rows) // 2
            for half in (rows[:middle], rows[middle:]):
                self._batch(answers, inputs, half, keywords)
            return
        self._keep(answers, rows, returned, (len(rows),))

    def _one(self, answers: Answers, inputs: Sequence[np.ndarray], row: int, keywords: Any) -> None:
        try:
            returned = self.function(*(array[row].copy() for array in inputs), **keywords)
        except (Exception, SystemExit) as error:
            answers.failures[row] = self._failure(error)
            _tell(0, 1)
            return
        self._keep(answers, np.array([row]), returned, ())

    def _keep(
        self, answers: Answers, rows: np.ndarray, returned: Any, batch: tuple[int, ...]
    ) -> None:
        """Put what was returned for some rows in its place."""
        several = len(answers.arrays) > 1
        parts = returned if several else (returned,)
        if several and not (isinstance(parts, tuple | list) and len(parts) == len(answers.arrays)):
            raise SimulatorError(
                f"{self.name} ({self.role}) returned {in_short(returned)}; expected"
                f" {len(answers.arrays)} arrays."
            )
        for whole, part in zip(answers.arrays, parts, strict=True):
            array = self._checked(part, (*batch, *whole.shape[1:]))
            whole[rows] = array if batch else array[None]
        finite = np.ones(len(rows), dtype=bool)
        for whole in answers.arrays:
            finite &= np.isfinite(whole[rows]).reshape(len(rows), -1).all(axis=1)
        for row in rows[~finite]:
            answers.failures[int(row)] = Failure(
                NOT_FINITE,
                NOT_FINITE,
                raised=False,
                sentence=f"{self.title} returned values that are not finite",
            )
            for whole in answers.arrays:
                whole[row] = np.nan
        _tell(int(finite.sum()), int((~finite).sum()))

    def _checked(self, returned: Any, shape: tuple[int, ...]) -> np.ndarray:
        try:
            array = np.asarray(returned)
        except (Exception, SystemExit) as error:  # ragged lists, tensors that need a gradient
            raise SimulatorError(
                f"{self.name} ({self.role}) returned {in_short(returned)}, which is no array:"
                f" {error}. Expected an array of shape {shape}."
            ) from None
        if array.dtype.kind not in "fiub":
            raise SimulatorError(
                f"{self.name} ({self.role}) returned {in_short(returned)}; expected real numbers"
                f" in an array of shape {shape}."
            )
        if array.shape != shape:
            raise SimulatorError(
                f"{self.name} ({self.role}) returned an array of shape {array.shape}; expected"
                f" {shape}.{self._hint(array.shape, shape)}"
            )
        self.boolean = array.dtype.kind == "b"
        return array.astype(np.float64)

    def _hint(self, shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
        """What may be wrong with a shape, as a sentence; empty where nothing is likely."""
        if shape == expected[1:]:
            return " It holds one draw: declare batched=False, or answer for all rows of theta."
        if shape[1:] == expected:
            return " It holds a batch of draws: declare batched=True, or answer for one draw."
        if sorted(shape) == sorted(expected):
            return " The axes are in another order: move them with np.moveaxis."
        unequal = [k for k, size in enumerate(expected) if shape[k : k + 1] != (size,)]
        periods = len(expected) - 2
        if self.role != RESPONSES or len(shape) != len(expected) or unequal != [periods]:
            return ""
        if self.keywords:
            return f" It does not hear its argument horizon, which was {expected[periods] - 1}."
        return f" It answers to horizon {shape[periods] - 1}: declare horizon={shape[periods] - 1}."

    def _failure(self, error: BaseException) -> Failure:
        """An exception as the reason of a draw: its type, text and place in the user's code."""
        lines = str(error).strip().splitlines()
        message = type(error).__name__ + (f": {lines[0].strip()}" if lines else "")
        place, does = place_of(error, code_of(self.written)), "raised"
        if isinstance(error, EmulatorError) and lines:  # raised on purpose, to be read as it is
            message = lines[0].strip()
            place, does = "", "refuses it:"
        message = printable(message[:LONGEST_REASON])
        where = f" ({place})" if place else ""
        return Failure(
            message + where,
            _NUMBERS.sub("#", message) + where,
            raised=True,
            sentence=f"{self.title} {does} {message}{where}",
        )

    def _say_once(self, failure: Failure, n: int) -> None:
        if failure.kind not in self._warned:
            self._warned.add(failure.kind)
            warn(
                f"{self.name} raised {failure.text} for {n} draws at once. The batch is halved"
                " until each draw that raises stands alone; the others are answered.",
                SimulatorWarning,
            )


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function, or of the class whose object is called."""
    return getattr(function, "__name__", type(function).__name__)


def code_of(function: Callable[..., Any]) -> CodeType | None:
    """The code behind a function, a method or an object that is called."""
    inner = inspect.unwrap(function)
    of_objects = vars(type(inner)).get("__call__")
    for candidate in (inner, getattr(inner, "func", None), of_objects):
        code = getattr(candidate, "__code__", None)
        if isinstance(code, CodeType):
            return code
    return None


def place_of(error: BaseException, code: CodeType | None) -> str:
    """File and line of the user's code at which an exception arose; empty where neither is known.

    The user's code is what lies in the folder of `code`: the last such line names the cause, below
    it are libraries.
    """
    if code is None:
        return ""
    folder, place = Path(code.co_filename).parent, ""
    trace = error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.parent == folder:
            place = f"{file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _check_signature(
    function: Callable[..., Any], arguments: Sequence[str], name: str
) -> frozenset[str]:
    """Which of the keywords that we know, `horizon` alone, a function takes.

    Raises `SimulatorError` for what cannot be called with these arguments.
    """
    if not callable(function):
        raise SimulatorError(
            f"{in_short(function)} was given as a function; expected a function of"
            f" {' and '.join(arguments)}."
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # functions of C say nothing of themselves
        return frozenset()
    keywords = {"horizon": 0} if "horizon" in signature.parameters else {}
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as error:
        raise SimulatorError(
            f"{name}{signature} cannot be called with {', '.join([*arguments, *keywords])}:"
            f" {error}. Give other arguments defaults."
        ) from None
    return frozenset(keywords)


def in_short(value: Any) -> str:
    """A value as a message shows it: as it is written, or its type where that is long."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    text = repr(value)
    return printable(text if len(text) <= 60 else f"an object of type {type(value).__name__}")
