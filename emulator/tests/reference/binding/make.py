"""Remake `paths.csv` of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/binding/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

from pathlib import Path

from emulator.tests.reference.dynare import command_line, lines_after

HERE = Path(__file__).resolve().parent

WRITE = """
if oo_.occbin.simul.error_flag
  error('not solved');
end
kinds = {{'piecewise', 'linear'}};
for k = 1:2
  for v = 1:M_.endo_nbr
    fprintf(handle, '{stem},%s,%s', kinds{{k}}, M_.endo_names{{v}});
    fprintf(handle, ',%.17g', oo_.occbin.simul.(kinds{{k}})(:, v) - oo_.occbin.simul.ys(v));
    fprintf(handle, '\\n');
  end
end
"""
"""Lines `file,kind,variable,0,1,...` of Dynare's `oo_.occbin.simul`, less the steady state."""


def main(output: Path, dynare: Path) -> None:
    lines = ["file,kind,variable," + ",".join(str(h) for h in range(60))]
    for path in sorted(HERE.glob("*.mod")):
        lines += lines_after(path, WRITE, dynare)
    (output / "paths.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    command_line(main, HERE, __doc__)
