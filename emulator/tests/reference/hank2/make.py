"""Remake the reference files of this folder with sequence-jacobian's own model graph (see
README.md).

python emulator/tests/reference/hank2/make.py [--output FOLDER]
"""

# ruff: noqa: RET504 (the library takes an output's name from the return statement)
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sequence_jacobian import combine, create_model, simple, solved
from sequence_jacobian.examples import two_asset as published
from sequence_jacobian.utilities.function import ExtendedFunction

from emulator.tests.reference.households import draws, path, write_irfs, write_theta
from emulator.worlds.hank2.spec import SPEC

HERE = Path(__file__).resolve().parent
SEED = 20261129
HORIZON, PERIODS = 40, 600
TIGHT = {"hh": {"backward_tol": 1e-10, "forward_tol": 1e-14}}
DIFFERENCES = {"hh": {"h": 1e-7, "twosided": True}}
GRID = {"nZ": 3, "nB": 10, "nA": 16, "nK": 4, "bmax": 50, "amax": 4000, "kmax": 1}


@solved(unknowns={"pi": (-0.1, 0.1)}, targets=["nkpc"], solver="brentq")
def pricing(pi, mc, r, Y, u, kappap, mup):
    nkpc = (
        kappap * (mc - 1 / mup)
        + u
        + Y(+1) / Y * (1 + pi(+1)).apply(np.log) / (1 + r(+1))
        - (1 + pi).apply(np.log)
    )
    return nkpc


@solved(unknowns={"i": (-0.1, 0.1)}, targets=["rule"], solver="brentq")
def taylor(i, pi, Y, m, rstar, phi_pi, phi_y, rho_i):
    rule = i - rstar - rho_i * (i(-1) - rstar) - (1 - rho_i) * (phi_pi * pi + phi_y * (Y - 1)) - m
    return rule


@solved(unknowns={"debt": (-10, 10)}, targets=["budget"], solver="brentq")
def borrowing(debt, G, Bg, Gss, rho_b):
    budget = debt - Bg - rho_b * (debt(-1) - Bg + G - Gss)
    return budget


@simple
def fiscal(r, w, N, G, debt):
    tax = ((1 + r) * debt(-1) + G - debt) / w / N
    return tax


@simple
def mkt_clearing(p, A, B, debt):
    asset_mkt = p + debt - A - B
    return asset_mkt


UNKNOWNS = ["r", "w", "Y"]
TARGETS = ["asset_mkt", "fisher", "wnkpc"]
EXOGENOUS = ("m", "Z", "G", "u")
OBSERVED = {
    "output": ("Y", 100.0),
    "inflation": ("pi", 400.0),
    "rate": ("i", 400.0),
    "consumption": ("C", 100.0),
    "hours": ("N", 100.0),
    "investment": ("I", 100.0),
}
"""For each observable the library's name of it and its units for one of the library's; where these
are percent, of its value at rest.
"""


def first_values(b_grid, a_grid, z_grid, eis):
    Va = (0.1 * (b_grid[:, np.newaxis] + a_grid) + z_grid[:, np.newaxis, np.newaxis]) ** (-1 / eis)
    Vb = Va.copy()
    return Va, Vb


def household() -> Any:
    """The library's household. Its own first values lead its iteration outside the numbers at some
    draws; these only say where it begins.
    """
    block = published.hh.add_hetinputs([published.income, published.make_grids])
    block.backward_init = ExtendedFunction(first_values)
    return block


def production() -> Any:
    block = combine([published.labor, published.investment])
    return block.solved(
        unknowns={"Q": 1.0, "K": 10.0}, targets=["inv", "val"], solver="broyden_custom"
    )


def calibrated(p: dict[str, float]) -> Any:
    """The library's steady state of its own example at other values of its calibration."""
    blocks = [
        household(),
        published.partial_ss,
        published.dividend,
        published.taylor,
        published.fiscal,
        published.share_value,
        published.finance,
        published.union_ss,
        published.mkt_clearing,
    ]
    known = {
        "Y": 1.0,
        "N": 1.0,
        "K": 10.0,
        "r": p["r"],
        "rstar": p["r"],
        "tot_wealth": p["wealth"],
        "delta": 0.02,
        "pi": 0.0,
        "kappap": p["kappa"],
        "muw": 1.1,
        "Bh": p["liquid"],
        "Bg": p["debt"],
        "G": 0.2,
        "eis": p["eis"],
        "frisch": p["frisch"],
        "chi0": 0.25,
        "chi2": 2,
        "epsI": p["eps_i"],
        "omega": p["spread"],
        "kappaw": p["kappa_w"],
        "phi": p["phi_pi"],
        "rho_z": p["rho_e"],
        "sigma_z": p["sd_e"],
        **GRID,
    }
    model = create_model(blocks, name="rest")
    return model.solve_steady_state(
        known,
        first_guess(p),
        {"asset_mkt": 0.0, "B": "Bh"},
        solver="hybr",
        ttol=1e-10,
        options=TIGHT,
    )


def first_guess(p: dict[str, float]) -> dict[str, float]:
    """Where the library's search begins, which from its own guess leads nowhere at many draws: the
    world's solution to three digits.
    """
    from emulator.worlds.hank2.household import Size, Tastes
    from emulator.worlds.hank2.steady import calibrate

    steady = calibrate(Tastes(*(p[name] for name in Tastes._fields)), Size(10, 16, 4))
    return {"beta": round(steady.beta, 5), "chi1": float(f"{steady.chi1:.3g}")}


def published_example(periods: int = PERIODS) -> tuple[Any, np.ndarray]:
    """The library's example as it is: steady state and responses (shock rstar, Z or G, H+1, O)."""
    p = dict(zip(SPEC.parameter_names, SPEC.theta()[0], strict=True))
    _, ss, model, unknowns, targets, exogenous = published.dag()
    G = model.solve_jacobian(
        ss, unknowns, targets, exogenous, T=periods, outputs=names(), options=DIFFERENCES
    )
    return ss, responses(G, ss, p, exogenous, "mzg")


def extended(p: dict[str, float], periods: int = PERIODS) -> tuple[Any, np.ndarray]:
    """Steady state and responses (4, H+1, O) of the whole model."""
    blocks = [
        household(),
        pricing,
        published.arbitrage_solved,
        production(),
        published.dividend,
        taylor,
        borrowing,
        fiscal,
        published.share_value,
        published.finance,
        published.wage,
        published.union,
        mkt_clearing,
    ]
    rules = {name: p[name] for name in ("phi_pi", "phi_y", "rho_i", "rho_b")}
    tight = calibrated(p)
    known = {**tight.toplevel, **rules, "m": 0.0, "u": 0.0, "Gss": 0.2, "debt": p["debt"]}
    model = create_model(blocks, name="hank2")
    ss = model.steady_state({**known, "i": p["r"], "Q": 1.0})
    # The library takes no tolerances where there are solved blocks: households as calibrated.
    ss.internals["hh"] = tight.internals["hh"]
    ss.update({name: tight[name] for name in ("A", "B", "C", "UCE", "CHI")})
    G = model.solve_jacobian(
        ss,
        UNKNOWNS,
        TARGETS,
        list(EXOGENOUS),
        T=periods,
        outputs=names(),
        options=DIFFERENCES,
    )
    return ss, responses(G, ss, p, EXOGENOUS, "mzgu")


def names() -> list[str]:
    return [name for name, _ in OBSERVED.values()]


def responses(G: Any, ss: Any, p: dict[str, float], shocks: Any, letters: str) -> np.ndarray:
    """Responses (S, H+1, O) in the units of the world."""
    rest = {name: float(ss[name]) for name in names()} | {"pi": 1.0, "i": 1.0}
    rows = []
    for shock, letter in zip(shocks, letters, strict=True):
        size = float(ss["Z"]) if shock == "Z" else 1.0
        columns = []
        for name, unit in OBSERVED.values():
            jacobian = G[name][shock] if shock in G[name] else np.zeros((1, 1))
            answer = jacobian @ (size * path(p, letter, jacobian.shape[1]))
            columns.append(unit / rest[name] * answer[: HORIZON + 1])
        rows.append(np.stack(columns, axis=1))
    return np.stack(rows)


def reference_draws() -> np.ndarray:
    """Returns and `eis` go somewhat beyond the prior; at the ends few and many liquid assets."""
    return draws(SPEC, SEED, ("liquid", "wealth", "r"), eis=(0.3, 1.0), r=(0.008, 0.015))


def main(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    theta = reference_draws()
    write_theta(output / "theta.csv", SPEC, theta)
    solutions = [
        extended(dict(zip(SPEC.parameter_names, row, strict=True))) for row in theta.tolist()
    ]
    write_irfs(output / "irfs.csv", np.stack([irf for _, irf in solutions]), list(OBSERVED))
    write_irfs(output / "published.csv", published_example()[1][None], list(OBSERVED))
    lines = [
        f"{row},{ss['beta']:.12g},{ss['chi1']:.12g},{ss['C']:.12g}"
        for row, (ss, _) in enumerate(solutions)
    ]
    (output / "steady.csv").write_text("\n".join(["draw,beta,chi1,consumption", *lines]) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--output", type=Path, default=HERE)
    main(parser.parse_args().output)
