% Dynare's answer at every row of draws.csv: info code in verdict.csv; responses in irfs.csv where there are any.
dynare nk.mod noclearall nograph nolog
names = cellstr(M_.param_names);
draws = dlmread('draws.csv', ',', 1, 0);
variables = {'x', 'pi', 'i'};
shocks = {'e_m', 'e_r', 'e_u'};
units = [1, 4, 4];
verdict = fopen('verdict.csv', 'w');
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
  for s = 1:3
    for h = 1:41
      values = zeros(1, 3);
      for v = 1:3
        values(v) = units(v) * oo_.irfs.([variables{v} '_' shocks{s}])(h);
      end
      fprintf(irfs, '%d,%d,%d,%.17g,%.17g,%.17g\n', d - 1, s - 1, h - 1, values);
    end
  end
end
fclose(verdict);
fclose(irfs);
