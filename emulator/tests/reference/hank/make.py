"""Remake the reference files of this folder with sequence-jacobian's own model graph (see
README.md).

python emulator/tests/reference/hank/make.py [--output FOLDER]
"""

# ruff: noqa: RET504 (the library takes an output's name from the return statement)
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sequence_jacobian import create_model, grids, simple
from sequence_jacobian.examples import hank as published

from emulator.tests.reference.households import draws, path, write_irfs, write_theta
from emulator.worlds.hank.world import SPEC

HERE = Path(__file__).resolve().parent
SEED = 20261123
HORIZON, PERIODS = 40, 300
TIGHT = {"hh": {"backward_tol": 1e-12, "forward_tol": 1e-14}}
DIFFERENCES = {"hh": {"h": 1e-8, "twosided": True}}
SCALE = 0.01
"""Size of the shock, in standard deviations, at which the nonlinear model is solved."""

AHEAD = 4
"""Quarters that the shocks of `news.csv` are known before they occur."""

PIVOT = 0.05
"""Of the grid of `hank` itself; that of the library is 0.25."""


def make_grids(rho_s, sigma_s, nS, amax, nA):
    e_grid, pi_e, Pi = grids.markov_rouwenhorst(rho=rho_s, sigma=sigma_s, N=nS)
    a_grid = np.geomspace(PIVOT, amax + PIVOT, nA) - PIVOT
    a_grid[0] = 0.0
    return e_grid, pi_e, Pi, a_grid


def household_on(grid: Any) -> Any:
    """The library's household, on the grid that a function of its parameters makes."""
    block = published.hh.add_hetinputs([grid, published.wages, published.transfers])
    return block.add_hetoutputs([published.labor_supply])


def spending_of_groups(c, bottom, bottom_mean, bottom_moved, top, top_mean, top_moved):
    c_bottom = bottom * (c - bottom_mean) + bottom_moved
    c_top = top * (c - top_mean) + top_moved
    return c_bottom, c_top


BOTTOM, TOP = (0.4, 0.6), (0.85, 0.95)
"""Ranks, by what households own as the quarter begins, between which the weight of a household in
the poorest half falls from one to zero, and in the richest tenth rises, linearly.
"""


@simple
def rule(i, pi, Y, m, rstar, phi_pi, phi_y, rho_i):
    rule_res = (
        i - rstar - rho_i * (i(-1) - rstar) - (1 - rho_i) * (phi_pi * pi + phi_y * (Y - 1)) - m
    )
    r = (1 + i(-1)) / (1 + pi) - 1
    return rule_res, r


@simple
def phillips(pi, w, Z, Y, r, u, mu, kappa):
    nkpc_res = (
        kappa * (w / Z - 1 / mu)
        + u
        + Y(+1) / Y * (1 + pi(+1)).apply(np.log) / (1 + r(+1))
        - (1 + pi).apply(np.log)
    )
    return nkpc_res


@simple
def budget(debt, r, G, B, rho_b):
    debt_res = debt - B - rho_b * (debt(-1) - B + G)
    Tax = (1 + r) * debt(-1) + G - debt
    return debt_res, Tax


@simple
def markets(A, NE, C, L, Y, G, debt, pi, mu, kappa):
    asset_mkt = A - debt
    labor_mkt = NE - L
    goods_mkt = Y - C - G - mu / (mu - 1) / (2 * kappa) * (1 + pi).apply(np.log) ** 2 * Y
    return asset_mkt, labor_mkt, goods_mkt


UNKNOWNS = ["pi", "w", "Y", "i", "debt"]
TARGETS = ["nkpc_res", "asset_mkt", "labor_mkt", "rule_res", "debt_res"]
EXOGENOUS = ("m", "Z", "G", "u")
OBSERVED = {
    "output": ("Y", 100.0),
    "inflation": ("pi", 400.0),
    "rate": ("i", 400.0),
    "consumption": ("C", 100.0),
    "hours": ("NE", 100.0),
    "consumption_bottom_half": ("C_BOTTOM", 100.0),
    "consumption_top_tenth": ("C_TOP", 100.0),
}
"""For each observable the library's name of it and its units for one of the library's; where these
are percent, of its value at rest.
"""


def steady_state(p: dict[str, float], household: Any, blocks: list[Any]) -> Any:
    """Steady state of a model of these blocks, its beta and vphi found by the library's
    calibration.
    """
    known = {
        "eis": p["eis"],
        "frisch": p["frisch"],
        "rho_s": p["rho_e"],
        "sigma_s": p["sd_e"],
        "nS": 7,
        "amax": 150,
        "nA": 500,
        "B": p["debt"],
        "debt": p["debt"],
        "rstar": p["r"],
        "r": p["r"],
        "i": p["r"],
        "mu": p["mu"],
        "kappa": p["kappa"],
        "phi": p["phi_pi"],
        "phi_pi": p["phi_pi"],
        "phi_y": p["phi_y"],
        "rho_i": p["rho_i"],
        "rho_b": p["rho_b"],
        "Y": 1.0,
        "Z": 1.0,
        "pi": 0.0,
        "m": 0.0,
        "G": 0.0,
        "u": 0.0,
    }
    model = create_model([household, published.firm, published.nkpc_ss, *blocks])
    return model.solve_steady_state(
        known,
        {"beta": 0.982, "vphi": 0.8},
        {"asset_mkt": 0.0, "labor_mkt": 0.0},
        solver="hybr",
        options=TIGHT,
    )


def published_example() -> tuple[Any, np.ndarray]:
    """The library's example as it is, on the grid of its notebook: steady state and responses
    (shock rstar or Z, H+1, 3).
    """
    p = dict(zip(SPEC.parameter_names, SPEC.theta()[0], strict=True))
    blocks = [published.monetary, published.fiscal, published.mkt_clearing]
    household = household_on(published.make_grids)
    ss = steady_state(p, household, blocks)
    model = create_model([household, published.firm, published.nkpc, *blocks])
    G = model.solve_jacobian(
        ss,
        ["pi", "w", "Y"],
        ["nkpc_res", "asset_mkt", "labor_mkt"],
        ["rstar", "Z"],
        T=PERIODS,
        options=DIFFERENCES,
    )
    responses = []
    for shock, letter in (("rstar", "m"), ("Z", "z")):
        y, pi = (G[name][shock] @ path(p, letter, PERIODS) for name in ("Y", "pi"))
        i = p["phi_pi"] * pi + (path(p, letter, PERIODS) if shock == "rstar" else 0.0)
        responses.append(np.stack([100 * y, 400 * pi, 400 * i], axis=1)[: HORIZON + 1])
    return ss, np.stack(responses)


def groups(rest: Any) -> tuple[dict[str, Any], dict[str, float]]:
    """What tells the poorest and the richest households apart, as inputs of `grouped`, and what
    each group spends at rest.

    A household's weight follows from its rank, by what it owns as the quarter begins; those at one
    grid point have the average weight of the ranks that they take up. One more household there
    moves up all who are richer by as much, and their weights with them.
    """
    mass, c = rest["D"], rest["c"]
    owners = mass.sum(axis=0)
    rank = np.concatenate([[0.0], np.cumsum(owners)])
    owned = owners > 1e-14  # beyond the grid's end the library extrapolates: masses below zero
    mean = np.where(owned, (mass * c).sum(axis=0) / np.where(owned, owners, 1.0), 0.0)
    weights, spent = {}, {}
    for name, (first, last), poor in (("bottom", BOTTOM, True), ("top", TOP, False)):
        weight = np.clip((last - rank) / (last - first), 0, 1)
        inside = np.clip(rank, first, last)
        summed = (
            np.minimum(rank, first) + (last - first - (last - inside) ** 2 / (last - first)) / 2
        )
        if not poor:
            weight, summed = 1 - weight, rank - summed
        member = np.where(owned, np.diff(summed) / np.where(owned, owners, 1.0), weight[1:])
        moved = np.diff(weight) * mean
        weights[name] = member
        weights[f"{name}_mean"] = mean
        weights[f"{name}_moved"] = weight[1:] * mean + np.cumsum(moved[::-1])[::-1] - moved
        spent[f"C_{name.upper()}"] = float((mass * c * member).sum())
    return weights, spent


def extended(
    p: dict[str, float],
    nonlinear: bool = False,
    grid: Any = published.make_grids,
    ahead: int = 0,
) -> tuple[Any, np.ndarray]:
    """Steady state and responses (4, H+1, 7) of the whole model on a grid; nonlinear ones are
    central differences at a hundredth of the shock. ahead: quarters that shocks are known before.
    """
    household = household_on(grid)
    ss = steady_state(p, household, [rule, budget, markets])
    grouped = household.add_hetoutputs([spending_of_groups])
    model = create_model([grouped, published.firm, phillips, rule, budget, markets])
    weights, spent = groups(ss.internals["hh"])
    ss = model.steady_state({**ss.toplevel, **weights}, options=TIGHT)
    rest = {name: ss[name] for name in ("Y", "C", "NE")} | spent | {"pi": 1.0, "i": 1.0}
    units = {name: unit / rest[name] for name, unit in OBSERVED.values()}
    if not nonlinear:
        G = model.solve_jacobian(
            ss, UNKNOWNS, TARGETS, list(EXOGENOUS), T=PERIODS, options=DIFFERENCES
        )
        paths = [
            {name: G[name][shock] @ path(p, letter, PERIODS, ahead) for name in units}
            for shock, letter in zip(EXOGENOUS, "mzgu", strict=True)
        ]
    else:
        paths = []
        for shock, letter in zip(EXOGENOUS, "mzgu", strict=True):
            up, down = (
                model.solve_impulse_nonlinear(
                    ss,
                    UNKNOWNS,
                    TARGETS,
                    {shock: sign * SCALE * path(p, letter, PERIODS)},
                    tol=1e-11,
                    verbose=False,
                )
                for sign in (1, -1)
            )
            paths.append({name: (up[name] - down[name]) / (2 * SCALE) for name in units})
    return ss, np.stack(
        [
            np.stack([unit * solved[name] for name, unit in units.items()], axis=1)[: HORIZON + 1]
            for solved in paths
        ]
    )


def reference_draws() -> np.ndarray:
    """At the ends little and much liquidity."""
    return draws(SPEC, SEED, ("debt", "r", "sd_e", "rho_e", "eis"))


def main(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    theta = reference_draws()
    named = [dict(zip(SPEC.parameter_names, row, strict=True)) for row in theta]
    write_theta(output / "theta.csv", SPEC, theta)
    solutions = [extended(p) for p in named]
    example, responses = published_example()
    write_irfs(output / "irfs.csv", np.stack([irf for _, irf in solutions]), list(OBSERVED))
    write_irfs(output / "published.csv", responses[None], list(OBSERVED))
    own = np.stack([extended(p, grid=make_grids)[1] for p in named[:3]])
    write_irfs(output / "own_grid.csv", own, list(OBSERVED))
    nonlinear = np.stack([extended(p, nonlinear=True)[1] for p in named[:2]])
    write_irfs(output / "nonlinear.csv", nonlinear, list(OBSERVED))
    news = np.stack([extended(p, ahead=AHEAD)[1] for p in named[:2]])
    write_irfs(output / "news.csv", news, list(OBSERVED))
    rest = [("published", example), *((str(k), ss) for k, (ss, _) in enumerate(solutions))]
    lines = [f"{name},{ss['beta']:.12g},{ss['vphi']:.12g},{ss['C']:.12g}" for name, ss in rest]
    (output / "steady.csv").write_text("\n".join(["draw,beta,vphi,consumption", *lines]) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    main(**vars(parser.parse_args()))
