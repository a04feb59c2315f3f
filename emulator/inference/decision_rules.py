"""Decision rules with names and units, as an xarray Dataset; the names are Dynare's.

steady_state             (draw, observable) deterministic
stochastic_steady_state  (draw, observable) where variables stay while no shock comes, though shocks
                         are expected
ghx, ghu                 (draw, observable, state), (.., shock) first derivatives
ghxx, ghxu, ghuu         second ones, (.., state, state_2), (.., state, shock), (.., shock, shock_2)
ghs2                     (draw, observable) what risk adds, twice over
ghxxx, ghxxu, ghxuu, ghuuu, ghxss, ghuss    third ones, of states, shocks and risk

A state is the value of a variable before the period. A shock is one of standard deviation one:
correlated ones are taken by the lower Cholesky factor, in the order of their declaration, so that
Dynare's arrays are these for shocks of variance one.

Axes: n draw, O observable, s state, k shock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from emulator.errors import ParameterError
from emulator.inference import files
from emulator.inference.asking import Asking
from emulator.inference.higher_order import solved_rules
from emulator.inference.orders import IN_WORDS
from emulator.solvers.perturbation import Rules, stochastic_steady_state

if TYPE_CHECKING:
    from emulator.inference.draws import DrawsLike


def decision_rules(
    asking: Asking,
    theta: np.ndarray,
    *,
    draws: DrawsLike,
    order: int,
    observed: list[int] | slice,
    on_failure: str,
) -> xr.Dataset:
    """See `Economy.decision_rules`."""
    if asking.answerer.highest_order == 1:
        raise ParameterError(
            f"'{asking.spec.name}' has no decision rules to show: they are those of a .mod file,"
            " all of whose shocks its mapping names, if it has one. state_space() gives the"
            " matrices of other worlds."
        )
    rules, solved = solved_rules(asking, theta, order, observed, on_failure)
    labels = asking.labels(asking.scaling(None, None, 1.0), draws, theta, observed, order)
    steady = asking.answerer.levels(theta)[:, observed]
    shocks = list(labels.shocks)
    states = [f"{asking.spec.states[k]}(-1)" for k in rules.states]
    variables: dict[str, Any] = {
        "steady_state": (("draw", "observable"), steady),
        **{name: (axes, values) for name, axes, values in _arrays(rules)},
    }
    if order > 1:
        labels = labels._replace(source=IN_WORDS[order])
        risky = steady + stochastic_steady_state(rules)
        variables["stochastic_steady_state"] = (("draw", "observable"), risky)
    for axes, values in variables.values():
        values[~solved] = np.nan
        assert len(axes) == values.ndim  # named axes are those of the arrays
    variables["theta"] = (("draw", "parameter"), theta)
    used = {axis for axes, _ in variables.values() for axis in axes}
    names = {
        "draw": labels.draws,
        "observable": list(labels.spec.observable_names),
        "parameter": list(labels.spec.parameter_names),
        **dict.fromkeys(AXES["x"], states),
        **dict.fromkeys(AXES["u"], shocks),
    }
    coordinates: dict[str, Any] = {axis: names[axis] for axis in names if axis in used}
    coordinates["unit"] = ("observable", list(labels.spec.observable_units))
    attributes = {**labels.attributes, "equations": EQUATIONS[order]}
    return xr.Dataset(variables, coordinates, attributes)


AXES = {"x": ("state", "state_2", "state_3"), "u": ("shock", "shock_2", "shock_3")}

MEANING = (
    "; x is the deviation of the states from the deterministic steady state, u in standard"
    " deviations"
)

EQUATIONS = {
    1: f"y = steady_state + ghx x + ghu u{MEANING}",
    2: ("y = steady_state + ghx x + ghu u + 1/2 (ghxx x x + ghuu u u + ghs2) + ghxu x u" + MEANING),
    3: (
        "y = steady_state + ghx x + ghu u + 1/2 (ghxx x x + ghuu u u + ghs2) + ghxu x u"
        " + 1/6 (ghxxx x x x + ghuuu u u u)"
        " + 1/2 (ghxxu x x u + ghxuu x u u + ghxss x + ghuss u)" + MEANING
    ),
}


def _arrays(rules: Rules) -> list[tuple[str, tuple[str, ...], np.ndarray]]:
    s = rules.n_states
    of = (("x", slice(0, s)), ("u", slice(s, None)))
    arrays = [("gh" + a, _axes(a), rules.first[:, :, at]) for a, at in of]
    if rules.order == 1:
        return arrays
    second = rules.second
    arrays += [
        (f"gh{a}{b}", _axes(a + b), second[:, :, first, then])
        for k, (a, first) in enumerate(of)
        for b, then in of[k:]
    ]
    arrays.append(("ghs2", _axes(""), rules.risk))
    if rules.third is None or rules.risk_slope is None:
        return arrays
    arrays += [
        (f"gh{a}{b}{c}", _axes(a + b + c), rules.third[:, :, first, then, last])
        for k, (a, first) in enumerate(of)
        for m, (b, then) in enumerate(of[k:], start=k)
        for c, last in of[m:]
    ]
    arrays += [(f"gh{a}ss", _axes(a), rules.risk_slope[:, :, at]) for a, at in of]
    return arrays


def _axes(kinds: str) -> tuple[str, ...]:
    """The axes of an array of derivatives by states (x) and shocks (u)."""
    of_kind = [axis for kind in "xu" for axis in AXES[kind][: kinds.count(kind)]]
    return ("draw", "observable", *of_kind)


def terms(data: xr.Dataset) -> list[tuple[str, np.ndarray]]:
    """The rules as polynomials: each product of states and shocks once, with its coefficients
    (n, O), the deterministic steady state first; what risk adds is a term of its own.
    """
    listed = [("steady state", data["steady_state"].values)]
    if "ghs2" in data:
        listed.append(("risk", 0.5 * data["ghs2"].values))
    for name, array in data.data_vars.items():
        kinds = str(name).removeprefix("gh").removesuffix("ss")
        if not str(name).startswith("gh") or name == "ghs2":
            continue
        risky = str(name).endswith("ss")
        labels = [list(map(str, array[axis].values)) for axis in array.dims[2:]]
        for place in np.ndindex(array.shape[2:]):
            by_kind = [[k for k, at in zip(kinds, place, strict=True) if k == of] for of in "xu"]
            positions = [place[: len(by_kind[0])], place[len(by_kind[0]) :]]
            if any(tuple(sorted(part)) != part for part in positions):
                continue  # the same product in another sequence
            weight = 0.5 if risky else 1 / math.prod(map(_repetitions, positions))
            words = [names[at] for names, at in zip(labels, place, strict=True)]
            words += ["risk"] * risky
            listed.append((", ".join(words), weight * array.values[(..., *place)]))
    return listed


def _repetitions(positions: tuple[int, ...]) -> int:
    """k! of each position that occurs k times: what Taylor's coefficient is divided by."""
    return math.prod(math.factorial(positions.count(at)) for at in set(positions))


def to_csv(data: xr.Dataset) -> bytes:
    """A row a draw and term, a column an observable."""
    import pandas as pd

    listed = terms(data)
    names = [name for name, _ in listed]
    stacked = np.stack([values for _, values in listed], axis=1)
    index = pd.MultiIndex.from_product([data["draw"].values, names], names=["draw", "term"])
    columns = list(map(str, data["observable"].values))
    frame = pd.DataFrame(stacked.reshape(len(index), -1), index, columns)
    if "stochastic_steady_state" in data:
        risky = pd.DataFrame(data["stochastic_steady_state"].values, columns=columns)
        risky.index = pd.MultiIndex.from_product(
            [data["draw"].values, ["stochastic steady state"]], names=index.names
        )
        frame = pd.concat([frame, risky])
    text: str = frame.to_csv(lineterminator="\n")
    return text.encode()


FORMATS: files.Formats = {".csv": to_csv, ".nc": files.to_netcdf, ".json": files.to_json}
