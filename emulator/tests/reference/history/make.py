"""Ask Dynare for smoothed shocks, decompositions and forecasts, and write them (see README.md).

python emulator/tests/reference/history/make.py [--output FOLDER] [--dynare
/usr/lib/dynare/matlab]
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulator.tests.reference import dynare
from emulator.tests.reference.history import cases
from emulator.tests.reference.likelihood import cases as likelihood_cases

HERE = Path(__file__).resolve().parent

WITHOUT_NOISE = """function x = randn(varargin)
  if nargin > 0 && ischar(varargin{1})  % a seed
    x = [];
  else
    x = zeros(varargin{:});
  end
end
"""


def commands(case: cases.HistoryCase) -> str:
    """What Dynare is asked, after the model with its `varobs`."""
    wanted = case.likelihood
    with tempfile.TemporaryDirectory() as scratch:
        spec = likelihood_cases.economy(wanted, Path(scratch)).spec
    first = wanted.around[:1]  # Dynare estimates nothing, but wants a parameter named
    estimated = wanted.estimated(first, spec.theta()[0, [spec.index(first[0])]])
    options = "".join(
        f", {name} = {value:g}" for name, value in wanted.options.items() if name == "lik_init"
    )
    options = options.replace(", lik_init = 3", ", diffuse_filter")
    text = f"""{estimated}
options_.riccati_tol = 0;
estimation(datafile='table.csv', mode_compute=0, mh_replic=0, smoother, plot_priors=0,
  forecast={cases.HORIZON}{options}) {" ".join(spec.observable_names)};
"""
    text += "shock_decomposition(parameter_set=calibration, nograph);\n"
    if case.condition:
        paths = "".join(
            f"  var {name}; periods {' '.join(str(k + 1) for k in range(len(values)))};\n"
            f"  values {' '.join(f'{value:g}' for value in values)};\n"
            for name, values in case.condition.items()
        )
        text += (
            f"conditional_forecast_paths;\n{paths}end;\n"
            "conditional_forecast(parameter_set=prior_mean, replic=2,"
            f" controlled_varexo=({','.join(case.controlled)}), periods={cases.HORIZON});\n"
        )
    return text


def ask(name: str, output: Path, matlab: Path) -> None:
    case = cases.CASES[name]
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        model = f"{case.likelihood.model}\n{commands(case)}"
        (work / "model.mod").write_text(model, encoding="latin-1")
        shutil.copy(HERE / "ask_history.m", work)
        (work / "randn.m").write_text(WITHOUT_NOISE)
        cases.table(name).to_csv(work / "table.csv", na_rep="NaN", float_format="%.17g")
        named = ", ".join(_cell(names) for names in (case.watched, case.controlled))
        call = f"addpath('{matlab}'); ask_history({named})"
        done = subprocess.run(
            ["octave-cli", "--norc", "--quiet", "--eval", call],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not (work / "forecast.csv").exists():
            raise SystemExit(f"Octave failed:\n{done.stdout[-2500:]}\n{done.stderr[-2500:]}")
        for made in sorted(work.glob("*.csv")):
            if made.name != "table.csv":
                shutil.copy(made, output / f"{name}_{made.name}")
    print(name)


def _cell(names: Sequence[str]) -> str:
    """Names as a cell array of MATLAB."""
    return f"{{{', '.join(map(repr, names))}}}"


def main(output: Path, matlab: Path) -> None:
    for name in cases.CASES:
        ask(name, output, matlab)


if __name__ == "__main__":
    dynare.command_line(main, HERE, __doc__)
