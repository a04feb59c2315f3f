"""The models, data and draws at which likelihoods are held to Dynare's; see README.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

import emulator
from emulator.solvers.kalman.likelihood import Start

HERE = Path(__file__).resolve().parent
WORLDS = Path(emulator.__file__).parent / "worlds"
N_DRAWS = 20

SW07 = """
var dy dc dinve dw robs pinfobs labobs;
parameters pi_bar l_bar;
pi_bar = 0.78; l_bar = 0.5;
"""

SERIES = ("dy", "dc", "dinve", "dw", "labobs", "pinfobs", "robs")

SW07_EQUATIONS = """
  dy = y - y(-1) + gamma_bar;
  dc = c - c(-1) + gamma_bar;
  dinve = inv - inv(-1) + gamma_bar;
  dw = w - w(-1) + gamma_bar;
  pinfobs = pi + pi_bar;
  robs = r + 100*((1 + pi_bar/100)*gamma^sigma_c/beta - 1);
  labobs = l + l_bar;
end;
"""

WALK = """
// A level with a slope that wander, a cycle around it, and inflation that knows the cycle.
var level slope cycle y pi;
varexo e_level e_slope e_cycle e_pi;
parameters rho kappa phi s_level s_slope s_cycle s_pi;
rho = 0.8; kappa = 0.2; phi = 0.5;
s_level = 0.4; s_slope = 0.05; s_cycle = 0.7; s_pi = 0.3;
model(linear);
  level = level(-1) + slope(-1) + s_level*e_level;
  slope = slope(-1) + s_slope*e_slope;
  cycle = rho*cycle(-1) + s_cycle*e_cycle;
  y = level + cycle;
  pi = phi*pi(-1) + kappa*cycle + s_pi*e_pi;
end;
shocks;
  var e_level; stderr 1; var e_slope; stderr 1; var e_cycle; stderr 1; var e_pi; stderr 1;
end;
"""


@dataclass(frozen=True)
class Case:
    """A model as text, what is observed, at which parameters, and Dynare's options.

    around: parameters whose draws are the file's values times one plus or minus a tenth; prior: a
    world whose prior the draws are from instead.
    """

    text: str
    varobs: tuple[str, ...]
    around: tuple[str, ...] = ()
    prior: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)
    gaps: bool = False
    options: Mapping[str, float] = field(default_factory=dict)
    periods: int = 120

    @property
    def presample(self) -> int:
        return int(self.options.get("presample", 0))

    @property
    def start(self) -> Start:
        """What the package calls Dynare's `lik_init`."""
        starts: dict[int, Start] = {1: "stationary", 2: "wide", 3: "diffuse"}
        return starts[int(self.options.get("lik_init", 1))]

    @property
    def model(self) -> str:
        """The whole file, with `varobs` and errors of measurement."""
        sizes = "".join(f"  var {name}; stderr {sd};\n" for name, sd in self.errors.items())
        shocks = f"shocks;\n{sizes}end;\n" if sizes else ""
        return f"{self.text}\nvarobs {' '.join(self.varobs)};\n{shocks}"

    def estimated(self, names: tuple[str, ...], values: np.ndarray) -> str:
        """An `estimated_params` block for Dynare, with priors so wide that they say nothing."""
        lines = [
            f"  {f'stderr {name[7:]}' if name.startswith('stderr_') else name},"
            f" {value:.17g}, normal_pdf, {value:.17g}, 100;\n"
            for name, value in zip(names, values, strict=True)
        ]
        return f"estimated_params;\n{''.join(lines)}end;\n"


def until_commands(path: Path) -> str:
    """A file's text up to its `stoch_simul`."""
    text = path.read_text(encoding="latin-1")
    return re.split(r"^\s*stoch_simul", text, maxsplit=1, flags=re.MULTILINE)[0]


def sw07() -> str:
    """sw07 with the measurement equations of the paper, which the world leaves out."""
    text = until_commands(WORLDS / "sw07.mod")
    model, shocks = text.split("shocks;", 1)
    head, equations = model.split("model(linear);", 1)
    body = equations.rsplit("end;", 1)[0] + SW07_EQUATIONS
    return f"{head}{SW07}model(linear);{body}shocks;{shocks}"


def nk() -> str:
    return until_commands(HERE.parent / "nk" / "nk.mod")


NK = ("sigma", "kappa", "phi_pi", "phi_y", "rho_i", "rho_m", "rho_r", "rho_u", "sigma_m", "sigma_r")

CASES: dict[str, Callable[[], Case]] = {
    "nk": lambda: Case(nk(), ("x", "pi", "i"), NK),
    "nk_gaps": lambda: Case(nk(), ("x", "pi", "i"), NK, errors={"x": 0.2, "pi": 0.1}, gaps=True),
    "nk_wide": lambda: Case(nk(), ("x", "pi", "i"), NK, options={"lik_init": 2, "presample": 4}),
    "rbc": lambda: Case(
        until_commands(WORLDS / "rbc.mod"),
        ("y", "n", "Pi"),
        ("alpha", "frisch", "sigma", "phi_pi", "sigma_a", "sigma_g", "sigma_m"),
    ),
    # Without errors of measurement the prior has draws at which these data are all but impossible.
    "sw07": lambda: Case(
        sw07(),
        SERIES,
        prior="sw07",
        errors=dict.fromkeys(SERIES, 0.25),
        options={"presample": 4},
        periods=230,
    ),
    "sw07_mode": lambda: Case(
        sw07(),
        SERIES,
        around=("sigma_c", "h", "xi_w", "xi_p", "r_pi", "rho", "sigma_a", "sigma_w"),
        options={"lik_init": 2, "presample": 4},
        periods=230,
    ),
    "correlated": lambda: Case(
        until_commands(HERE.parent / "modfile" / "correlated.mod"),
        ("x", "pi", "i"),
        ("sigma", "kappa", "phi", "rho_r", "rho_u"),
    ),
    "walk": lambda: Case(
        WALK,
        ("y", "pi"),
        ("rho", "kappa", "phi", "s_level", "s_slope", "s_cycle", "s_pi"),
        options={"lik_init": 3},
    ),
    "walk_gaps": lambda: Case(
        WALK,
        ("y", "pi"),
        ("rho", "kappa", "phi", "s_level", "s_slope", "s_cycle", "s_pi"),
        errors={"y": 0.3},
        gaps=True,
        options={"lik_init": 3},
    ),
}


def economy(case: Case, folder: Path) -> emulator.Economy:
    """The package's own reading of the model."""
    path = folder / "model.mod"
    path.write_text(case.model, encoding="latin-1")
    return emulator.world(path)


def draws(case: Case, of: emulator.Economy) -> pd.DataFrame:
    """Parameters (n, P) that vary, all with a solution."""
    rng = np.random.default_rng(0)
    if case.prior:
        return emulator.world(case.prior).sample(N_DRAWS, 0)
    values = of.spec.theta()[0, [of.spec.index(name) for name in case.around]]
    rows = values * (1 + 0.1 * rng.uniform(-1, 1, (N_DRAWS, len(values))))
    return pd.DataFrame(rows, columns=list(case.around))


def theta(of: emulator.Economy, table: pd.DataFrame) -> np.ndarray:
    """Parameter vectors (n, P) of draws: what a file computes from a parameter stays, as in
    Dynare's estimation.
    """
    rows = np.repeat(of.spec.theta(), len(table), axis=0)
    for name, column in table.items():
        rows[:, of.spec.index(str(name))] = column
    return rows


def data(case: Case, of: emulator.Economy) -> pd.DataFrame:
    """Data (T, V) that the model generates at the file's parameters, around its steady state, with
    errors of measurement, and some missing where the case says so.
    """
    rng = np.random.default_rng(1)
    theta = of.spec.theta()
    names = of.spec.observable_names
    columns = [names.index(name) for name in case.varobs]
    shocks = rng.standard_normal((1, case.periods, of.spec.n_shocks))
    paths = of.solver.simulate(theta, shocks)[0] + of.answerer.levels(theta)[0]
    values = paths[:, columns]
    values += rng.standard_normal(values.shape) * [case.errors.get(n, 0.0) for n in case.varobs]
    if case.gaps:
        values[rng.random(values.shape) < 0.15] = np.nan
        values[40:43] = np.nan
    periods = pd.period_range("1959Q1", periods=case.periods, freq="Q").astype(str)
    return pd.DataFrame(values, columns=list(case.varobs), index=pd.Index(periods, name="period"))
