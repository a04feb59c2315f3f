"""The Python door: draws in arrays, a table and a labelled array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emulator.data.importing.axes import order_of
from emulator.data.importing.checks import check_names
from emulator.data.importing.given import ArrayResponses, Given, Unread
from emulator.data.importing.spec import Choices
from emulator.data.importing.write import Plan, write_dataset
from emulator.data.schema import Fractions
from emulator.data.store import DataSet
from emulator.errors import DatasetError
from emulator.worlds.source import plain_name

LABELS = {"draw": "sample"}
"""Other names of axes: our own answers call a sample a draw."""


def import_draws(
    theta: Any,
    irf: Any,
    *,
    output: str | Path,
    parameters: Sequence[str] | None = None,
    shocks: Sequence[str] | None = None,
    observables: Sequence[str] | None = None,
    name: str = "",
    status: Any = None,
    axes: Sequence[str] | None = None,
    units: Mapping[str, str] | str | None = None,
    frequency: str | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    drop: Sequence[str] = (),
    drop_duplicates: bool = False,
    together: Sequence[str] = (),
    slice_parameters: Sequence[str] = (),
    corner_parameters: Sequence[str] = (),
    linear: bool = False,
    title: str = "",
    seed: int = 42,
    fractions: Fractions | None = None,
    overwrite: bool = False,
) -> DataSet:
    """Make a data set of draws that were solved elsewhere, and return it opened.

    theta (n, P), or a table whose columns are the parameters; irf (n, S, H+1, O), horizon 0 being
    the impact period, or an `xarray.DataArray` with these axes by name. A draw without a solution
    has NaN for all its responses, or a `status` (n,) other than "ok", and keeps its theta: that is
    where the probability of a solution is learnt from. name: of the world, by default the folder's.
    axes: names of the array's axes, needed where its shape can be read in two ways. units: by name,
    or one for all observables; "unknown" where none is given. ranges: of parameters, by default
    those of the draws. drop: constant parameters to leave out. together: parameters whose draws of
    the same values stay in one split, where a dear part was solved once for several draws.
    slice_parameters, corner_parameters: those whose upper ends are held out of training; by default
    those that move the responses most.
    linear: whether responses are proportional to the size of the shock.

    Raises `DatasetError` for draws that make no data set, and for a folder that is not free.
    """
    for what, table in (("units", units), ("ranges", ranges)):
        if not isinstance(table, Mapping | str | None):
            raise DatasetError(
                f"{what} is a {type(table).__name__}; expected a table by name, such as"
                f" {what}={{'sales': {'(0.1, 0.9)' if what == 'ranges' else repr('percent')}}}."
            )
    given = given_arrays(
        theta,
        irf,
        parameters=parameters,
        shocks=shocks,
        observables=observables,
        status=status,
        axes=axes,
        drop=drop,
    )
    plan = Plan(
        name=world_name(name, output),
        seed=seed,
        fractions=fractions or Fractions(),
        drop_duplicates=drop_duplicates,
        together=tuple(together),
        overwrite=overwrite,
        choices=Choices(
            units={"": units} if isinstance(units, str) else dict(units or {}),
            frequency=frequency,
            ranges=dict(ranges or {}),
            slice_parameters=tuple(slice_parameters),
            corner_parameters=tuple(corner_parameters),
            linear=linear,
            title=title,
        ),
    )
    return write_dataset(output, plan, lambda aside: given)


def world_name(name: str, output: str | Path) -> str:
    """The name of the world: as given, or that of the folder."""
    chosen = name or plain_name(Path(output).name)
    if not chosen.isidentifier() or not chosen.isascii() or chosen.startswith("_"):
        raise DatasetError(
            f"The name of the world is '{chosen}'; expected letters, digits and underscores, a"
            " letter first. Give one with --name (name= in Python)."
        )
    return chosen


def given_arrays(
    theta: Any,
    irf: Any,
    *,
    parameters: Sequence[str] | None,
    shocks: Sequence[str] | None,
    observables: Sequence[str] | None,
    status: Any = None,
    axes: Sequence[str] | None = None,
    drop: Sequence[str] = (),
) -> Given:
    """Draws in arrays, with their names and axes checked. Raises `DatasetError`."""
    if parameters is None and hasattr(theta, "columns"):
        parameters = [str(column) for column in theta.columns]
    dims = getattr(irf, "dims", None)
    if axes is None and dims is not None:
        axes = [LABELS.get(str(dim), str(dim)) for dim in dims]
        shocks, observables = (
            names if names is not None or axis not in irf.coords else irf.coords[axis].values
            for axis, names in (("shock", shocks), ("observable", observables))
        )
    values = numbers("theta", theta)
    if hasattr(irf, "dims") or isinstance(irf, Unread):
        responses = irf
        _check_type("the responses", irf.dtype)
    else:
        responses = numbers("the responses", irf)
    if values.ndim != 2:
        raise DatasetError(
            f"theta has the shape {values.shape}; expected (draws, parameters). A single parameter"
            " is written theta[:, None]."
        )
    names = check_names("parameters", parameters if parameters is not None else ())
    if values.shape[1] != len(names):
        transposed = values.shape[0] == len(names)
        advice = "Give its transpose." if transposed else "Check the names, or the array."
        raise DatasetError(
            f"theta has the shape {values.shape} and there are {len(names)} parameters:"
            f" {', '.join(names)}; expected (draws, {len(names)}). {advice}"
        )
    shock_names = check_names("shocks", shocks if shocks is not None else ())
    observable_names = check_names("observables", observables if observables is not None else ())
    lengths = {
        "sample": len(values),
        "shock": len(shock_names),
        "observable": len(observable_names),
    }
    order = order_of(tuple(responses.shape), lengths, axes)
    values, names = without(values, names, drop)
    return Given(
        theta=values,
        responses=ArrayResponses(responses, order),
        parameters=names,
        shocks=shock_names,
        observables=observable_names,
        status=None if status is None else np.asarray(status),
    )


def numbers(what: str, values: Any) -> np.ndarray:
    """Real numbers as an array. Raises `DatasetError` for anything else."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{what} cannot be read as an array of numbers: {error}.") from None
    _check_type(what, array.dtype)
    return array.astype(np.float64) if array.dtype.kind != "f" or what == "theta" else array


def _check_type(what: str, dtype: np.dtype) -> None:
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise DatasetError(
            f"The entries of {what} are of the type {dtype}; expected real numbers of at most 64"
            " bits."
        )


def without(
    theta: np.ndarray, names: tuple[str, ...], drop: Sequence[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """theta (n, P) and its names without parameters that are the same in all draws.

    Raises `DatasetError` for one that is not, or that there is not.
    """
    for name in drop:
        if name not in names:
            raise DatasetError(f"--drop names '{name}'; the parameters are {', '.join(names)}.")
        column = theta[:, names.index(name)].astype(np.float32)
        if len(column) and not (column == column[0]).all():
            raise DatasetError(
                f"--drop names '{name}', which differs between draws; only a parameter that is the"
                " same in all can be left out, since the responses depend on the others."
            )
    positions = [k for k, name in enumerate(names) if name not in drop]
    if not positions:
        raise DatasetError("No parameter remains; expected one at least that differs by draw.")
    return theta[:, positions], tuple(names[k] for k in positions)
