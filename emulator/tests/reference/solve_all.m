% Dynare's answer at every row of draws.csv: info code, steady state and responses of the variables and shocks named in *.txt.
function solve_all()
  dynare model.mod noclearall nograph nolog
  global M_ options_ oo_
  variables = strsplit(strtrim(fileread('variables.txt')), "\n");
  shocks = strsplit(strtrim(fileread('shocks.txt')), "\n");
  names = strsplit(strtrim(fgetl(fopen('draws.csv'))), ',');
  draws = dlmread('draws.csv', ',', 1, 0);
  M_.Sigma_e = eye(M_.exo_nbr);
  verdict = fopen('verdict.csv', 'w');
  steady = fopen('steady.csv', 'w');
  irfs = fopen('irfs.csv', 'w');
  for d = 1:rows(draws)
    for p = 1:numel(names)
      set_param_value(names{p}, draws(d, p));
    end
    oo_.irfs = struct();
    [info, oo_, options_] = stoch_simul(M_, options_, oo_, variables');
    fprintf(verdict, '%d\n', info(1));
    if info(1) ~= 0
      continue
    end
    [~, order] = ismember(variables, cellstr(M_.endo_names));
    fprintf(steady, '%.17g,', oo_.dr.ys(order));
    fprintf(steady, '\n');
    for s = 1:numel(shocks)
      for h = 1:options_.irf
        values = cellfun(@(v) oo_.irfs.([v '_' shocks{s}])(h), variables);
        fprintf(irfs, '%.17g,', values);
        fprintf(irfs, '\n');
      end
    end
  end
  fclose('all');
end
