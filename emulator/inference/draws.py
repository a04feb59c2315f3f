"""What a user may hand over as parameters, as theta: named values, a table, an array, or nothing
but defaults.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import ParameterError
from emulator.spec import WorldSpec

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import TypeIs

    DrawsLike = Mapping[str, Any] | pd.DataFrame | pd.Series | np.ndarray | None

Complete = Callable[[Mapping[str, np.ndarray], int], np.ndarray]
"""Named columns, each one number or (n,), and n to theta (n, P)."""

Names = str | Iterable[str] | None
"""Names of shocks or observables, or None for all of a world's."""

MOST_NAMED = 8
"""Parameters that are named one by one where an answer says what was asked."""

USUAL_HORIZONS = (0, 4, 8, 20)
"""Horizons for which indices of sensitivity are computed unless others are asked for."""

LONGEST_HORIZON = 10_000
"""Periods; a response that is asked for beyond is a slip, and would fill the memory."""


def theta_of(
    spec: WorldSpec,
    draws: DrawsLike = None,
    parameters: Mapping[str, Any] | None = None,
    complete: Complete | None = None,
) -> np.ndarray:
    """Parameter vectors (n, P), float64, in each parameter's own unit.

    draws: a table or mapping with a column for some of the parameters, the rest at their defaults
    (a row of a table, a `Series`, is one draw by the names of its index); or an array (n, P), or
    (P,) for one draw, in the order of `spec.parameter_names`. parameters: numbers, or columns of n,
    that replace those of draws. complete: makes theta of n draws from named columns where other
    parameters follow from them, as in a `.mod` file that computes one from another. Raises
    `UnknownNameError` for a name that the world does not have, `ParameterError` for lengths that
    differ, for shapes that do not fit, for no draw at all and for values that are not finite
    numbers.
    """
    if _is_row(draws):
        draws = draws.to_frame().T
    by_name = isinstance(draws, Mapping) or _is_table(draws)
    table = _columns(draws) if by_name else {}
    named = {**table, **(parameters or {})}
    columns = {spec.index(name): _numbers(name, value) for name, value in named.items()}
    theta = _base(spec, draws, columns)
    if complete is not None and (draws is None or by_name):
        names = spec.parameter_names
        given = {names[column]: values for column, values in columns.items()}
        theta = complete(given, len(theta))
    for column, values in columns.items():
        theta[:, column] = values
    return spec.check_theta(theta)


def chosen_shocks(spec: WorldSpec, shocks: Names) -> list[int]:
    """Positions of the shocks that are asked for: all where none is named.

    Raises `UnknownNameError`.
    """
    return _chosen("shock", spec, spec.shock_names, shocks, spec.shock_index)


def _chosen(
    kind: str,
    spec: WorldSpec,
    known: Sequence[str],
    wanted: Names,
    position: Callable[[str], int],
) -> list[int]:
    """Positions of the wanted names among the known ones of this kind, each once; None: all."""
    if wanted is None:
        return list(range(len(known)))
    if not isinstance(wanted, Iterable):
        raise ParameterError(
            f"The {kind}s were given as {wanted!r}; expected names, of {', '.join(known)}."
        )
    names = [wanted] if isinstance(wanted, str) else list(dict.fromkeys(wanted))
    if not names:
        raise ParameterError(
            f"The list of {kind}s is empty; leave it out for all {kind}s of '{spec.name}':"
            f" {', '.join(known)}."
        )
    return [position(name) for name in names]


def chosen_observables(spec: WorldSpec, observables: Names) -> list[int]:
    """Positions of the observables that are asked for, in the order in which they are named: all
    where none is named.

    Raises `UnknownNameError`.
    """
    return _chosen("observable", spec, spec.observable_names, observables, spec.observable_index)


def given_once(**named: Names) -> Names:
    """The value of an argument that has two names; None where neither is given. Raises
    `ParameterError` where both are.
    """
    given = {name: value for name, value in named.items() if value is not None}
    if len(given) > 1:
        names = " and ".join(f"{name}=" for name in given)
        raise ParameterError(f"Both {names} were given; expected one of the two.")
    return next(iter(given.values()), None)


def last_period(horizon: Any, periods: str = "periods") -> int:
    """The last horizon that is asked for; periods: what a world's periods are called.

    Raises `ParameterError` unless it is a whole number from 0 to `LONGEST_HORIZON`.
    """
    last = whole(horizon)
    if last is None or last > LONGEST_HORIZON:
        raise ParameterError(
            f"The horizon is {horizon!r}; expected a whole number of {periods}, 0 (the impact"
            f" period alone) to {LONGEST_HORIZON:,}."
        )
    return last


def draws_wanted(n: Any) -> int:
    """A number of draws. Raises `ParameterError` unless it is a whole number, 0 or more."""
    number = whole(n)
    if number is None:
        raise ParameterError(f"The number of draws is {n!r}; expected a whole number, 0 or more.")
    return number


def periods_wanted(n: Any) -> int:
    """A number of periods. Raises `ParameterError` unless it is a whole number, 1 or more."""
    number = whole(n)
    if not number:
        raise ParameterError(f"The number of periods is {n!r}; expected a whole number, 1 or more.")
    return number


def generator(seed: Any) -> np.random.Generator:
    """The random numbers of a seed, or the given generator itself. Raises `ParameterError`."""
    if isinstance(seed, np.random.Generator):
        return seed
    number = whole(seed)
    if number is None:
        raise ParameterError(
            f"The seed is {seed!r}; expected a whole number, 0 or more, or a NumPy Generator."
        )
    return np.random.default_rng(number)


def labels_of(draws: DrawsLike, n: int) -> np.ndarray:
    """What n draws are called: by the index of a table that names each of its rows once, else 0 to
    n - 1.
    """
    if _is_table(draws) and draws.index.nlevels == 1 and draws.index.is_unique:
        return draws.index.to_numpy()
    return np.arange(n)


def parameters_in_words(spec: WorldSpec, theta: np.ndarray) -> str:
    """Which parameters of theta (n, P) are not at their defaults: their values or, where draws
    differ, their range.
    """
    low = theta.min(axis=0)
    high = theta.max(axis=0)
    parts = []
    for p, first, last in zip(spec.parameters, low, high, strict=True):
        if first == last != p.default:
            parts.append(f"{p.name} = {first:.4g}")
        elif first != last:
            parts.append(f"{p.name} from {first:.4g} to {last:.4g}")
    if not parts:
        return "Parameters at their defaults."
    rest = "" if len(parts) == spec.n_parameters else "; the rest at their defaults"
    named = ", ".join(parts) if len(parts) <= MOST_NAMED else f"{len(parts)} parameters changed"
    return f"{named}{rest}."


def whole(number: Any) -> int | None:
    """A whole number, 0 or more; None for anything else."""
    try:
        whole = -1 if isinstance(number, bool | np.bool) else operator.index(number)
    except TypeError:
        return None
    return whole if whole >= 0 else None


def _is_table(draws: Any) -> TypeIs[pd.DataFrame]:
    return _is_pandas(draws, "DataFrame")


def _is_row(draws: Any) -> TypeIs[pd.Series]:
    return _is_pandas(draws, "Series")


def _is_pandas(draws: Any, kind: str) -> bool:
    """Whether draws are of a class of pandas, which is not imported to know that."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(draws, getattr(pandas, kind))


def _columns(draws: Any) -> dict[str, Any]:
    twice = (
        [str(name) for name in draws.columns[draws.columns.duplicated()]]
        if _is_table(draws)
        else []
    )
    if twice:
        raise ParameterError(
            f"The table of draws names '{twice[0]}' twice; expected each parameter at most once."
        )
    return {str(name): values for name, values in draws.items()}


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        array = _reals(value)
    except (TypeError, ValueError):
        shown = (
            repr(value)
            if value is None or (np.isscalar(value) and len(repr(value)) < 60)
            else f"a {type(value).__name__}"
        )
        raise ParameterError(
            f"Parameter '{name}' was given as {shown}; expected a number, or a column of numbers."
        ) from None
    if array.ndim > 1:
        raise ParameterError(
            f"Parameter '{name}' was given as an array of shape {array.shape}; expected a number,"
            " or one a draw."
        )
    return array


def _reals(value: Any) -> np.ndarray:
    """As float64, masked entries NaN.

    Raises `TypeError` and `ValueError` for what is no real number: text, dates, complex numbers,
    truth values, None.
    """
    array = np.ma.asanyarray(value) if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    if array.dtype.kind in "bcmM" or (
        array.dtype.kind == "O" and any(item is None for item in array.flat)
    ):
        raise TypeError  # NumPy would make NaN of None
    real = array.astype(np.float64)
    return np.asarray(real.filled(np.nan) if isinstance(real, np.ma.MaskedArray) else real)


def _base(spec: WorldSpec, draws: DrawsLike, columns: Mapping[int, np.ndarray]) -> np.ndarray:
    """As many draws as the call names, before named columns are written into them."""
    if draws is not None and not (isinstance(draws, Mapping) or _is_table(draws)):
        try:
            array = _reals(draws)
        except (TypeError, ValueError):
            raise ParameterError(
                f"The draws are a {type(draws).__name__} that is no array of numbers; expected (n,"
                f" {spec.n_parameters}), a table or a mapping of names."
            ) from None
        base = spec.check_theta(array[None, :] if array.ndim == 1 else array).copy()
    elif _is_table(draws):
        base = np.repeat(spec.defaults[None], len(draws), axis=0)
    else:
        lengths = {values.size for values in columns.values() if values.ndim}
        base = np.repeat(spec.defaults[None], max(lengths, default=1), axis=0)
    for column, values in columns.items():
        if values.ndim and values.size != len(base):
            raise ParameterError(
                f"Parameter '{spec.parameter_names[column]}' has {values.size} values for"
                f" {len(base)} draws; expected one each, or one for all."
            )
    if len(base) == 0:
        raise ParameterError("There are no draws: the table or array of parameters has no rows.")
    return base
