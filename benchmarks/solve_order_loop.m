function solve_order_loop(name)
% Dynare's own loop over parameters at second order, as solve_loop.m: a draw is set and solved by resol.m (steady state, first and
% second order). Draws lie in draws.csv under the names of the parameters. Left in loop.mat: CPU seconds, info codes, and the
% rules by declaration: ghx, ghu, ghxx, ghxu, ghuu, ghs2 (entry, .., draw), names of variables and states. Shocks of size one.
  global M_ options_ oo_
  dynare(name, 'noclearall', 'nograph', 'nolog');
  M_.Sigma_e = eye(M_.exo_nbr);
  options_.order = 2;
  file = fopen('draws.csv');
  names = strsplit(strtrim(fgetl(file)), ',');
  fclose(file);
  draws = dlmread('draws.csv', ',', 1, 0);
  [~, where] = ismember(names, cellstr(M_.param_names));
  n = rows(draws);
  info = zeros(1, n);
  kept = cell(1, n);
  started = cputime();
  for d = 1:n
    M_.params(where) = draws(d, :)';
    [dr, code, M_, oo_] = resol(0, M_, options_, oo_);
    info(d) = code(1);
    kept{d} = dr;
  end
  seconds = cputime() - started;
  variables = M_.endo_names;
  states = M_.endo_names(dr.order_var(M_.nstatic + (1:M_.nspred)));
  record = struct();
  for part = {'ghx', 'ghu', 'ghxx', 'ghxu', 'ghuu', 'ghs2'}
    values = cellfun(@(dr) dr.(part{1})(dr.inv_order_var, :), kept, 'UniformOutput', false);
    record.(part{1}) = cat(3, values{:});
  end
  save('-v6', 'loop.mat', 'seconds', 'info', 'record', 'variables', 'states');
end
