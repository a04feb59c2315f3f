% OccBin's paths at every row of draws.csv, without a shock and with each of the three, all from the initial shortfall.
% The shortfall is a surprise to the natural rate in the quarter of the shock. CPU seconds of the rows go to seconds.csv.
% Where surprises.csv holds T rows a draw, in standard deviations, the economy is also simulated under them.
function solve_all()
  dynare zlb.mod noclearall nograph nolog
  global M_ options_ oo_
  names = strsplit(strtrim(fgetl(fopen('draws.csv'))), ',');
  draws = dlmread('draws.csv', ',', 1, 0);
  [~, wanted] = ismember({'x', 'pi', 'i'}, cellstr(M_.endo_names));
  [~, sizes] = ismember({'sigma_m', 'sigma_r', 'sigma_u'}, names);
  options_.noprint = true;
  options_.occbin.simul.waitbar = false;
  options_.occbin.simul.exo_pos = 1:3;
  paths = fopen('paths.csv', 'w');
  seconds = fopen('seconds.csv', 'w');
  for d = 1:rows(draws)
    start = cputime();
    for p = 1:numel(names)
      M_.params(strcmp(names{p}, cellstr(M_.param_names))) = draws(d, p);
    end
    answers = cell(1, 4);
    for k = 1:4
      surprise = [0, -draws(d, strcmp(names, 'shortfall')) / 4 / draws(d, sizes(2)), 0];
      if k > 1
        surprise(k - 1) += 1;
      end
      options_.occbin.simul.SHOCKS = surprise;
      [oo_, answers{k}] = occbin.solver(M_, oo_, options_);
    end
    fprintf(seconds, '%.17g\n', cputime() - start);
    for k = 1:4
      if answers{k}.error_flag
        fprintf(paths, '%d,%d,-1,NaN,NaN,NaN\n', d - 1, k - 1);
        continue
      end
      path = answers{k}.piecewise(:, wanted) .* [1, 4, 4];
      for t = 1:rows(path)
        fprintf(paths, '%d,%d,%d,%.17g,%.17g,%.17g\n', d - 1, k - 1, t - 1, path(t, :));
      end
    end
  end
  if exist('surprises.csv', 'file')
    simulate_all(names, draws, dlmread('surprises.csv', ','), wanted, sizes);
  end
  fclose('all');
end

function simulate_all(names, draws, surprises, wanted, sizes)
  global M_ options_ oo_
  quarters = rows(surprises) / rows(draws);
  simulations = fopen('simulations.csv', 'w');
  for d = 1:rows(draws)
    for p = 1:numel(names)
      M_.params(strcmp(names{p}, cellstr(M_.param_names))) = draws(d, p);
    end
    mine = surprises((d - 1) * quarters + (1:quarters), :);
    mine(1, 2) -= draws(d, strcmp(names, 'shortfall')) / 4 / draws(d, sizes(2));
    options_.occbin.simul.SHOCKS = mine;
    options_.occbin.simul.periods = quarters;
    [oo_, answer] = occbin.solver(M_, oo_, options_);
    path = NaN(quarters, 3);
    if ~answer.error_flag
      path = answer.piecewise(1:quarters, wanted) .* [1, 4, 4];
    end
    fprintf(simulations, '%.17g,%.17g,%.17g\n', path');
  end
end
