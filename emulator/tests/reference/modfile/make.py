"""Remake `irfs.csv` of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/modfile/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

from pathlib import Path

from emulator.tests.reference.dynare import command_line, lines_after

HERE = Path(__file__).resolve().parent

WRITE = """
for s = 1:M_.exo_nbr
  for v = 1:M_.orig_endo_nbr
    field = [M_.endo_names{{v}} '_' M_.exo_names{{s}}];
    if isfield(oo_.irfs, field)
      fprintf(handle, '{stem},%s,%s', M_.exo_names{{s}}, M_.endo_names{{v}});
      fprintf(handle, ',%.17g', oo_.irfs.(field));
      fprintf(handle, '\\n');
    end
  end
end
"""
"""Lines `file,shock,variable,0,1,...,20` of Dynare's own `oo_.irfs`."""


def main(output: Path, dynare: Path) -> None:
    lines = ["file,shock,variable," + ",".join(str(h) for h in range(21))]
    for path in sorted(HERE.glob("*.mod")):
        lines += lines_after(path, WRITE, dynare)
    (output / "irfs.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    command_line(main, HERE, __doc__)
