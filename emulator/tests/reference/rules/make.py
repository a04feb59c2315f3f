"""Remake `rules.csv` of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/rules/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
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
handle = fopen('rules.csv', 'w');
fprintf(handle, '{stem},objective,%.17g\\n', oo_.osr.objective_function);
names = fieldnames(oo_.osr.optim_params);
for k = 1:length(names)
  fprintf(handle, '{stem},%s,%.17g\\n', names{{k}}, oo_.osr.optim_params.(names{{k}}));
end
fclose(handle);
"""


def rule(path: Path, dynare: Path) -> list[str]:
    """Lines `file,name,value` of Dynare's `oo_.osr` after the file has run as it stands."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(path, work)
        (work / "ask.m").write_text(WRITE.format(dynare=dynare, stem=path.stem))
        done = subprocess.run(
            ["octave", "--no-gui", "--norc", "--quiet", "ask.m"],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        if not (work / "rules.csv").exists():
            raise SystemExit(
                f"Dynare did not solve {path.name}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )
        return (work / "rules.csv").read_text().splitlines()


def main(output: Path, dynare: Path) -> None:
    lines = ["file,name,value"]
    for path in sorted(HERE.glob("*.mod")):
        lines += rule(path, dynare)
    output.mkdir(parents=True, exist_ok=True)
    (output / "rules.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
