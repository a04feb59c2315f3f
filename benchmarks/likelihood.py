"""Log-likelihoods beside Dynare's own function: how far apart, and how long each takes.

    python benchmarks/likelihood.py [--dynare /usr/lib/dynare/matlab] [--public FOLDER] [--csv out]
    python benchmarks/likelihood.py --speed [--most 10000]

Without options: the cases of `emulator/tests/reference/likelihood`, asked anew. `--public` names a
checkout of the collection DSGE_mod of J. Pfeifer: its two files of Smets and Wouters (2007) on
their own data, at their calibration and mode and at twenty draws of their priors, and files without
data of theirs, which then come from the model, at twenty draws around the calibration. `--speed`
times `sw07` with 230 quarters, solution included, on one thread, in processor time; Dynare's
function with its own `riccati_tol`, ours with covariances to the last period. Exit code 1 if a
difference exceeds 1e-6, absolutely and relative to the value, and what rounding in the solution
does to it (`by QZ`).
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd
import threadpoolctl
from rich.console import Console
from rich.table import Table

import emulator
from emulator.inference.likelihood import Likelihood
from emulator.solvers import StateSpace, solve_qz
from emulator.solvers.kalman import log_likelihoods
from emulator.solvers.kalman.likelihood import Start
from emulator.tests.reference import dynare
from emulator.tests.reference.likelihood import cases, make
from emulator.worlds.filemodel import FileModel
from emulator.worlds.priors import Prior

TOLERANCE = 1e-6
"""Largest difference, absolute or relative to the value: a prior has draws of minus ten million."""
REPEATS = 20
N_DRAWS = 20
SW = "Smets_Wouters_2007"
SERIES = ("dy", "dc", "dinve", "labobs", "pinfobs", "dw", "robs")
UNSET = "constepinf = 0.7; constebeta = 0.742; ctrend = 0.3982;\n"
"""Parameters that a file leaves to its `estimated_params`, by the initial values there."""

PUBLIC = {
    "Gali_2008/Gali_2008_chapter_3.mod": ("y",),
    "Hansen_1985/Hansen_1985.mod": ("y",),
    "Ireland_2004/Ireland_2004.mod": ("gobs", "robs", "piobs"),
    "RBC_baseline/RBC_baseline.mod": ("y", "c"),
    "RBC_news_shock_model/RBC_news_shock_model.mod": ("y", "c"),
    "Sims_2012/Sims_2012_RBC.mod": ("y", "n"),
    "Collard_2001/Collard_2001_example1.mod": ("y", "c"),
}
"""Files of the collection without data, and which of their variables are observed."""

NEAR = 0.02
"""Share of a parameter's value by which draws differ from it in these files."""


SIZE = re.compile("stderr_|corr_")
"""Columns of theta that are no parameters of the model."""


class Row(NamedTuple):
    """One line of the table."""

    name: str
    draws: int
    lowest: float
    highest: float
    difference: float
    relative: float
    by_qz: float = 0.0
    """By how much our own values move where another method solves the model."""

    @property
    def agrees(self) -> bool:
        """Within the tolerance, or within what rounding in the solution does to these values."""
        return min(self.difference, self.relative) <= TOLERANCE or self.difference <= self.by_qz


def of_case(name: str, matlab: Path) -> Row:
    answer, draws, table = make.ask_case(name, matlab)
    case = cases.CASES[name]()
    with tempfile.TemporaryDirectory() as scratch:
        economy = cases.economy(case, Path(scratch))
        ours = economy.log_likelihood(
            table, cases.theta(economy, draws), start=case.start, presample=case.presample
        )
    return _row(name, answer.likelihood, ours["log_likelihood"].values)


def _row(name: str, wanted: np.ndarray, ours: np.ndarray) -> Row:
    solved = np.isfinite(ours) & (wanted > -1e8)  # Dynare's penalty where there is no solution
    difference = np.abs(ours - wanted)[solved]
    relative = difference / np.maximum(np.abs(wanted[solved]), 1.0)
    return Row(
        name=name,
        draws=int(solved.sum()),
        lowest=wanted[solved].min(),
        highest=wanted[solved].max(),
        difference=float(difference.max(initial=0.0)),
        relative=float(relative.max(initial=0.0)),
    )


def _of_file(economy: emulator.Economy) -> FileModel:
    """The world of an economy that a file without a mapping makes."""
    assert isinstance(economy.solver, FileModel)
    return economy.solver


# Smets and Wouters (2007) on their own data


class Asked(TypedDict):
    """How the likelihood begins."""

    start: Start
    presample: int


def _sw_data(folder: Path) -> pd.DataFrame:
    from scipy.io import loadmat

    raw = loadmat(folder / "usmodel_data.mat")
    columns = {name: raw[name].ravel() for name in SERIES}
    periods = pd.period_range("1947Q3", periods=len(raw["dy"]), freq="Q").astype(str)
    return pd.DataFrame(columns, index=pd.Index(periods, name="period"))


def _sw_text(path: Path) -> str:
    """The file up to its varobs, with a value for each parameter."""
    text = path.read_text(encoding="latin-1").replace("model(linear);", f"{UNSET}model(linear);", 1)
    start = text.index("varobs")
    return text[: text.index(";", start) + 1] + "\n"


def smets_wouters(public: Path, matlab: Path) -> list[Row]:
    """At the calibration, at the published mode, and at draws of the file's priors."""
    from scipy.io import loadmat

    folder, rows = public / SW, []
    table = _sw_data(folder)
    starts: dict[str, Start] = {f"{SW}.mod": "wide", f"{SW}_45.mod": "stationary"}
    for name, start in starts.items():
        text = _sw_text(folder / name)
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / name
            path.write_text(text, encoding="latin-1")
            economy = emulator.world(path)
            priors = _of_file(economy).priors
            theta = _prior_draws(economy, priors)
            asked = Asked(start=start, presample=4)
            ours = economy.log_likelihood(table, theta, **asked)["log_likelihood"].values
            calibrated = economy.log_likelihood(table, **asked)["log_likelihood"].values[0]
            moved = float(np.abs(_by_qz(economy, table, theta, asked) - ours).max())
        columns = [economy.spec.index(p) for p in priors]
        draws = pd.DataFrame(theta[:, columns], columns=list(priors))
        options = {"datafile": "'usmodel_data'", "presample": 4}
        options |= {"lik_init": 2} if start == "wide" else {}
        answer = make.ask(text, pd.DataFrame(), draws, options, matlab, beside=folder)
        row = _row(f"{name}, draws of its priors", answer.likelihood, ours)
        rows.append(row._replace(by_qz=moved))
        print(f"{name}: {calibrated:.4f} at its calibration ({start}, presample 4)")
        if start == "wide":
            _at_mode(economy, table.iloc[70:], loadmat(folder / "usmodel_mode.mat"), asked)
    return rows


def _by_qz(
    economy: emulator.Economy, table: pd.DataFrame, theta: np.ndarray, asked: Asked
) -> np.ndarray:
    """Log-likelihoods (n,) where the QZ method solves the model: its solutions differ from ours by
    some 1e-13, which many draws of these priors magnify.
    """
    likelihood = Likelihood.of(economy.answerer, emulator.read_data(table), **asked)
    world, space = _of_file(economy), economy.answerer.state_space(theta)
    matrices = world.model.scaled(world.full_theta(theta))
    solved = [solve_qz(*(matrix[row] for matrix in matrices)) for row in range(len(theta))]
    transition, impact = (np.stack([answer[part] for answer in solved]) for part in (0, 1))
    other = StateSpace(transition, impact, space.C)
    observed = likelihood.observation.at(theta).of_space(
        other, likelihood.data.values, economy.answerer.levels(theta)
    )
    return log_likelihoods(observed, likelihood.start)[:, likelihood.presample :].sum(axis=1)


def _prior_draws(economy: emulator.Economy, priors: Mapping[str, Prior]) -> np.ndarray:
    """Draws (n, P) of a file's priors that have a solution, within the bounds it gives."""
    rng = np.random.default_rng(0)
    theta = np.repeat(economy.spec.theta(), 40 * N_DRAWS, axis=0)
    for name, prior in priors.items():
        theta[:, economy.spec.index(name)] = prior.draw(len(theta), rng)
    return theta[economy.answerer.status(theta) == 0][:N_DRAWS]


def _at_mode(economy: emulator.Economy, table: pd.DataFrame, published: dict, asked: Asked) -> None:
    """Log-posterior at the mode, and Laplace's approximation of the marginal likelihood (Dynare:
    -841.4621 and -923.0527); a prior's density is that before it is cut, as Dynare has it.
    """
    likelihood = Likelihood.of(economy.answerer, emulator.read_data(table), **asked)
    names = list(likelihood.priors)
    columns = [economy.spec.index(name) for name in names]
    theta = economy.spec.theta()

    def log_posterior(x: np.ndarray) -> np.ndarray:
        rows = np.repeat(theta, len(x), axis=0)
        rows[:, columns] = x
        total = likelihood.values(rows).total
        for column, name in enumerate(names):
            total = total + likelihood.priors[name].log_density(x[:, column], whole=True)
        return total

    mode = published["xparam1"].ravel()
    value = float(log_posterior(mode[None])[0])
    print(f"{SW}.mod, first_obs=71: {value:.4f} log-posterior at the published mode")
    constant = value + 0.5 * len(mode) * np.log(2 * np.pi)
    for whose, curvature in (
        ("with the published Hessian, which Dynare takes", published["hh"]),
        ("with our own", -_hessian(log_posterior, mode)),
    ):
        print(f"  Laplace {whose}: {constant - 0.5 * np.linalg.slogdet(curvature)[1]:.4f}")


def _hessian(value: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """By central differences, all points in one batch."""
    step = np.maximum(np.abs(x), 1e-2) * 1e-3
    size = len(x)
    pairs = [(i, j) for i in range(size) for j in range(i, size)]
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    points = np.repeat(x[None], len(pairs) * 4, axis=0)
    for k, (i, j) in enumerate(pairs):
        for m, (a, b) in enumerate(signs):
            points[4 * k + m, i] += a * step[i]
            points[4 * k + m, j] += b * step[j]
    values = value(points).reshape(-1, 4)
    hessian = np.zeros((size, size))
    for (i, j), of_pair in zip(pairs, values, strict=True):
        second = (of_pair[0] - of_pair[1] - of_pair[2] + of_pair[3]) / (4 * step[i] * step[j])
        hessian[i, j] = hessian[j, i] = second
    return hessian


# Files without data


def of_public(public: Path, name: str, varobs: tuple[str, ...], matlab: Path) -> Row:
    """At draws around the file's calibration of the parameters that its model reads."""
    path = public / name
    text = _of_file(emulator.world(path)).model.file.text  # macros expanded, comments gone
    text = re.split(r"\bstoch_simul\b", text)[0]
    text = re.sub(r"\bestimated_params\b.*?\bend\s*;|\bvarobs\b.*?;", "", text, flags=re.DOTALL)
    case = cases.Case(text=text, varobs=varobs)
    with tempfile.TemporaryDirectory() as scratch:
        economy = cases.economy(case, Path(scratch))
        needed = _of_file(economy).model.needed
        names = [p for p in economy.spec.parameter_names if p in needed and not SIZE.match(p)]
        usual = economy.spec.theta()
        theta = np.repeat(usual, 20 * N_DRAWS, axis=0)
        factors = 1 + NEAR * np.random.default_rng(0).uniform(-1, 1, (len(theta), len(names)))
        theta[:, [economy.spec.index(p) for p in names]] *= factors
        theta = theta[economy.answerer.status(theta) == 0][:N_DRAWS]
        draws = pd.DataFrame(theta[:, [economy.spec.index(p) for p in names]], columns=names)
        table = cases.data(case, economy)
        ours = economy.log_likelihood(table, theta)["log_likelihood"].values
    moving = draws.loc[:, draws.iloc[0] != 0.0]
    estimated = case.estimated(tuple(moving.columns), moving.to_numpy()[0])
    model = f"{case.model}\n{estimated}"
    options = {"datafile": "'table.csv'", "solve_tolf": 1e-12}  # its own is 6e-6
    answer = make.ask(model, table, moving, options, matlab, beside=path.parent)
    return _row(name, answer.likelihood, ours)


# Speed


def speed(matlab: Path, most: int) -> None:
    """Milliseconds a draw of `sw07`, 230 quarters, solution included."""
    answer, _, table = make.ask_case("sw07_mode", matlab, repeats=REPEATS)
    case = cases.CASES["sw07_mode"]()
    rows = Table(title=f"sw07, {case.periods} quarters: milliseconds of processor time a draw")
    for column in ("", "draws at once", "ms a draw", "Dynare's by it"):
        rows.add_column(column, justify="right")
    rows.add_row("Dynare 5.3, Octave", "1", f"{1e3 * answer.seconds:.2f}", "1.0")
    with tempfile.TemporaryDirectory() as scratch:
        file = cases.economy(case, Path(scratch))
    world = emulator.world("sw07")
    growth = {
        "dy": "diff(output) + gamma_bar",
        "dc": "diff(consumption) + gamma_bar",
        "dinve": "diff(investment) + gamma_bar",
        "dw": "diff(wage) + gamma_bar",
        "labobs": "hours + mean",
        "pinfobs": "inflation/4 + mean",
        "robs": "rate/4 + mean",
    }
    data = emulator.read_data(table)
    for who, economy, observe in (("the same file", file, None), ("world sw07", world, growth)):
        likelihood = Likelihood.of(economy.answerer, data, observe)
        n = 1
        while n <= most:
            theta = _around(economy, n)
            likelihood.values(theta[:1])
            began = time.process_time()
            for _ in range(repeats := max(1, 20 // n)):
                likelihood.values(theta)
            each = (time.process_time() - began) / repeats / n
            rows.add_row(who, f"{n:,}", f"{1e3 * each:.2f}", f"{answer.seconds / each:.1f}")
            n *= 10
    Console().print(rows)


def _around(economy: emulator.Economy, n: int) -> np.ndarray:
    """Draws (n, P) around the defaults, as a posterior has them, all with a solution."""
    rng = np.random.default_rng(0)
    usual = economy.spec.theta()
    theta = usual * (1 + 0.02 * rng.standard_normal((2 * n + 10, usual.shape[1])))
    return theta[economy.answerer.status(theta) == 0][:n]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dynare", type=Path, default=dynare.DYNARE)
    parser.add_argument("--public", type=Path, help="a checkout of DSGE_mod")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--most", type=int, default=10_000)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.speed:
        with threadpoolctl.threadpool_limits(1):
            speed(given.dynare, given.most)
        return
    if given.public is None:
        rows = [of_case(name, given.dynare) for name in cases.CASES]
    else:
        rows = smets_wouters(given.public, given.dynare)
        for name, varobs in PUBLIC.items():
            try:
                rows.append(of_public(given.public, name, varobs, given.dynare))
            except (SystemExit, emulator.errors.EmulatorError, FileNotFoundError) as error:
                print(f"{name}: not compared: {str(error)[-300:]}")
    table = Table(title="Log-likelihoods: largest difference from Dynare's")
    for column in ("case", "draws", "from", "to", "difference", "relative", "by QZ"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for row in rows:
        lowest, highest = f"{row.lowest:.2f}", f"{row.highest:.2f}"
        numbers = (
            lowest,
            highest,
            f"{row.difference:.1e}",
            f"{row.relative:.1e}",
            f"{row.by_qz:.1e}",
        )
        table.add_row(row.name, str(row.draws), *numbers)
    Console().print(table)
    if given.csv:
        pd.DataFrame(rows).to_csv(given.csv, index=False)
    sys.exit(int(any(not row.agrees for row in rows)))


if __name__ == "__main__":
    main()
