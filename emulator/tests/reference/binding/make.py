"""Remake `paths.csv` of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/binding/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
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
dynare {stem} nolog noclearall nopreprocessoroutput nograph
if oo_.occbin.simul.error_flag
  error('not solved');
end
handle = fopen('paths.csv', 'w');
kinds = {{'piecewise', 'linear'}};
for k = 1:2
  for v = 1:M_.endo_nbr
    fprintf(handle, '{stem},%s,%s', kinds{{k}}, M_.endo_names{{v}});
    fprintf(handle, ',%.17g', oo_.occbin.simul.(kinds{{k}})(:, v) - oo_.occbin.simul.ys(v));
    fprintf(handle, '\\n');
  end
end
fclose(handle);
"""


def paths(path: Path, dynare: Path) -> list[str]:
    """Lines `file,kind,variable,0,1,...` of Dynare's `oo_.occbin.simul`, less the steady state,
    after the file has run as it stands.
    """
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
        if not (work / "paths.csv").exists():
            raise SystemExit(
                f"Dynare did not solve {path.name}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )
        return (work / "paths.csv").read_text().splitlines()


def main(output: Path, dynare: Path) -> None:
    lines = ["file,kind,variable," + ",".join(str(h) for h in range(60))]
    for path in sorted(HERE.glob("*.mod")):
        lines += paths(path, dynare)
    output.mkdir(parents=True, exist_ok=True)
    (output / "paths.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
