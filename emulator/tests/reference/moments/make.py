"""Remake `moments.csv` of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/moments/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from emulator.tests.reference.dynare import ask_octave

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "modfile"
DYNARE = Path("/usr/lib/dynare/matlab")

FILES = (
    "commitment",
    "correlated",
    "kinks",
    "latin1",
    "leads_lags",
    "loglinear",
    "macros",
    "predetermined",
    "trends",
    "unit_root",
)
"""Files of the folder whose last command has theoretical moments of its own."""

WRITE = """
addpath('{dynare}');
dynare {stem} nolog noclearall nopreprocessoroutput
options_.order = 1;
options_.ar = 3;
options_.noprint = 1;
options_.nomoments = 0;
options_.nodecomposition = 0;
options_.qz_criterium = 1 + 1e-6;
names = M_.endo_names(1:M_.orig_endo_nbr);
names = names(~strncmp('MULT_', names, 5));
handle = fopen('moments.csv', 'w');
for lambda = [0 1600]
  options_.hp_filter = lambda;
  options_.conditional_variance_decomposition = [];
  oo = disp_th_moments(oo_.dr, names, M_, options_, oo_);
  for v = 1:numel(names)
    fprintf(handle, '{stem},%d,%s', lambda, names{{v}});
    fprintf(handle, ',%.12g', oo.mean(v), oo.var(v, v));
    for lag = 1:3
      fprintf(handle, ',%.12g', oo.autocorr{{lag}}(v, v));
    end
    fprintf(handle, ',%s', strjoin(M_.exo_names', ' '));
    fprintf(handle, ',%s', strtrim(sprintf('%.12g ', oo.variance_decomposition(v, :))));
    fprintf(handle, '\\n');
  end
end
fclose(handle);
"""

HEADER = "file,lambda,variable,mean,variance,lag_1,lag_2,lag_3,shocks,shares"


def moments(path: Path, dynare: Path) -> list[str]:
    """Lines of Dynare's theoretical moments after the file has run as it stands."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(path, work)
        done = ask_octave(work, WRITE.format(dynare=dynare, stem=path.stem))
        written = work / "moments.csv"
        if not written.exists() or not written.read_text():
            raise SystemExit(
                f"Dynare did not answer {path.name}:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
            )
        return written.read_text().splitlines()


def main(output: Path, dynare: Path) -> None:
    lines = [HEADER]
    for name in FILES:
        lines += moments(MODELS / f"{name}.mod", dynare)
    output.mkdir(parents=True, exist_ok=True)
    (output / "moments.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
