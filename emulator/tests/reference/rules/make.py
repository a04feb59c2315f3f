"""Remake `rules.csv` of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/rules/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

from pathlib import Path

from emulator.tests.reference.dynare import command_line, lines_after

HERE = Path(__file__).resolve().parent

WRITE = """
fprintf(handle, '{stem},objective,%.17g\\n', oo_.osr.objective_function);
names = fieldnames(oo_.osr.optim_params);
for k = 1:length(names)
  fprintf(handle, '{stem},%s,%.17g\\n', names{{k}}, oo_.osr.optim_params.(names{{k}}));
end
"""
"""Lines `file,name,value` of Dynare's `oo_.osr`."""


def main(output: Path, dynare: Path) -> None:
    lines = ["file,name,value"]
    for path in sorted(HERE.glob("*.mod")):
        lines += lines_after(path, WRITE, dynare)
    (output / "rules.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    command_line(main, HERE, __doc__)
