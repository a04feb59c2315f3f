"""Remake the tables of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/orders/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np

from emulator.tests.reference.dynare import ask_octave

HERE = Path(__file__).resolve().parent
DYNARE = Path("/usr/lib/dynare/matlab")
PERIODS, BURN, REPLICATIONS = 14, 6, 2

WRITE = """
addpath('{dynare}');
dynare {stem} nolog noclearall nopreprocessoroutput
options_.k_order_solver = true;
options_.pruning = true;
factor = transpose(chol(M_.Sigma_e));
unit = reshape(dlmread('shocks.csv'), [], {periods}, 2);
unit = permute(unit(:, :, 1:M_.exo_nbr), [2 3 1]);
rules = fopen('rules.csv', 'w');
paths = fopen('paths.csv', 'w');
moments = fopen('moments.csv', 'w');
for order = [2 3]
  options_.order = order;
  [dr, info] = stochastic_solvers(oo_.dr, 0, M_, options_, oo_);
  assert(info(1) == 0);
  names = M_.endo_names(1:M_.orig_endo_nbr);
  states = M_.endo_names(dr.order_var(M_.nstatic + (1:M_.nspred)));
  parts = {{'ghx', 'ghu', 'ghxx', 'ghxu', 'ghuu', 'ghs2', 'ghxxx', 'ghxxu', 'ghxuu', 'ghuuu', 'ghxss', 'ghuss'}};
  for part = parts(1:6*(order - 1))
    name = part{{1}};
    values = dr.(name)(dr.inv_order_var, :);
    kinds = strrep(strrep(name(3:end), 's2', ''), 'ss', '');
    columns = {{''}};
    for kind = kinds
      if kind == 'x', more = states; else, more = M_.exo_names; end
      joined = {{}};
      for k = 1:numel(columns)
        for j = 1:numel(more)
          joined{{end+1}} = strtrim([columns{{k}} ' ' more{{j}}]);
        end
      end
      columns = joined;
    end
    for v = 1:numel(names)
      for c = 1:numel(columns)
        fprintf(rules, '{stem},%d,%s,%s,%s,%.12g\\n', order, name, names{{v}}, columns{{c}}, values(v, c));
      end
    end
  end
  start = repmat(dr.ys, 1, M_.maximum_lag);
  mean_response = zeros(M_.exo_nbr, {periods} - {burn}, M_.endo_nbr);
  for r = 1:{replications}
    given = unit(:, :, r) * transpose(factor);
    plain = simult_(M_, options_, start, dr, given, order)(:, M_.maximum_lag + 1:end)';
    if r == 1, first = plain; end
    for k = 1:M_.exo_nbr
      pulsed = given;
      pulsed({burn} + 1, :) = pulsed({burn} + 1, :) + factor(:, k)';
      moved = simult_(M_, options_, start, dr, pulsed, order)(:, M_.maximum_lag + 1:end)';
      change = reshape(moved - plain, [1 size(plain)]);
      mean_response(k, :, :) = mean_response(k, :, :) + change(:, {burn} + 1:end, :) / {replications};
    end
  end
  options_.qz_criterium = 1 + 1e-6;
  system = pruned_state_space_system(M_, options_, dr, (1:M_.endo_nbr)', 1, 0, 0);
  where = dr.inv_order_var;
  for v = 1:numel(names)
    for t = 1:{periods}
      fprintf(paths, '{stem},%d,path,,%d,%s,%.12g\\n', order, t - 1, names{{v}}, first(t, v));
    end
    for k = 1:M_.exo_nbr
      for t = 1:{periods} - {burn}
        fprintf(paths, '{stem},%d,response,%s,%d,%s,%.12g\\n', order, M_.exo_names{{k}}, t - 1, names{{v}}, mean_response(k, t, v));
      end
    end
    lagged = NaN;
    if order == 2, lagged = system.Var_yi(where(v), where(v), 1); end
    fprintf(moments, '{stem},%d,%s,%.12g,%.12g,%.12g\\n', order, names{{v}}, system.E_y(where(v)), system.Var_y(where(v), where(v)), lagged);
  end
end
fclose(rules); fclose(paths); fclose(moments);
"""  # noqa: E501  # a script of Octave

HEADERS = {
    "rules.csv": "file,order,array,variable,columns,value",
    "paths.csv": "file,order,kind,shock,period,variable,value",
    "moments.csv": "file,order,variable,mean,variance,lag_1",
}


def shocks() -> np.ndarray:
    """(replication, period, shock), in standard deviations; the second shock is not everywhere."""
    return np.random.default_rng(2018).standard_normal((REPLICATIONS, PERIODS, 2)).round(4)


def answers(path: Path, dynare: Path) -> dict[str, list[str]]:
    """Lines of each table for one file."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(path, work)
        # Octave reshapes column by column: replication, then period, then shock.
        np.savetxt(work / "shocks.csv", shocks().transpose(2, 1, 0).reshape(-1), fmt="%.4f")
        script = WRITE.format(
            dynare=dynare,
            stem=path.stem,
            periods=PERIODS,
            burn=BURN,
            replications=REPLICATIONS,
        )
        done = ask_octave(work, script)
        if done.returncode or not all((work / name).exists() for name in HEADERS):
            raise SystemExit(
                f"Dynare did not answer {path.name}:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
            )
        return {name: (work / name).read_text().splitlines() for name in HEADERS}


def main(output: Path, dynare: Path) -> None:
    lines = {name: [header] for name, header in HEADERS.items()}
    for path in sorted(HERE.glob("*.mod")):
        for name, more in answers(path, dynare).items():
            lines[name] += more
    output.mkdir(parents=True, exist_ok=True)
    for name, table in lines.items():
        (output / name).write_text("\n".join(table) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
