"""Remake `irfs.csv` of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/modfile/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DYNARE = Path("/usr/lib/dynare/matlab")

WRITE = """
addpath('{dynare}');
dynare {stem} nolog noclearall nopreprocessoroutput
handle = fopen('irfs.csv', 'w');
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
fclose(handle);
"""


def responses(path: Path, dynare: Path) -> list[str]:
    """Lines `file,shock,variable,0,1,...,20` of Dynare's own `oo_.irfs` after the file has run as
    it stands.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for source in path.parent.glob(f"{path.stem}.*"):
            shutil.copy(source, work)
        (work / "ask.m").write_text(WRITE.format(dynare=dynare, stem=path.stem))
        done = subprocess.run(
            ["octave", "--no-gui", "--norc", "--quiet", "ask.m"],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        if not (work / "irfs.csv").exists():
            raise SystemExit(
                f"Dynare did not solve {path.name}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )
        return (work / "irfs.csv").read_text().splitlines()


def main(output: Path, dynare: Path) -> None:
    lines = ["file,shock,variable," + ",".join(str(h) for h in range(21))]
    for path in sorted(HERE.glob("*.mod")):
        lines += responses(path, dynare)
    output.mkdir(parents=True, exist_ok=True)
    (output / "irfs.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
