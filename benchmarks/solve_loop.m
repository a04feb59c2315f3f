function solve_loop(worlds)
% Dynare's own loop over parameters, on request. A line on stdin names a world; its draws lie in <world>.csv, under the names of
% its parameters, and <world>.txt names the variables wanted. A draw is set, solved (steady state and decision rule by resol.m) and
% answered: responses of the variables to each shock over 41 quarters, by irf.m. The answer is one line, CPU seconds;
% with 'keep' after the name the responses, steady states and info codes are left in <world>.mat too.
  global M_ options_ oo_
  model = struct();
  for k = 1:numel(worlds)
    dynare(worlds{k}, 'noclearall', 'nograph', 'nolog');
    M_.Sigma_e = eye(M_.exo_nbr);
    model.(worlds{k}) = {M_, options_, oo_};
  end
  answer('ready');
  while ischar(line = fgetl(stdin))
    if isempty(line)
      continue
    end
    asked = strsplit(strtrim(line), ' ');
    name = asked{1};
    [names, draws] = read_draws([name '.csv']);
    variables = strsplit(strtrim(fileread([name '.txt'])), "\n");
    [seconds, irfs, steady, info] = timed(model.(name){:}, names, draws, variables);
    if numel(asked) > 1
      save('-v6', [name '.mat'], 'irfs', 'steady', 'info');
    end
    answer(sprintf('%.17g', seconds));
  end
end

function [seconds, irfs, steady, info] = timed(M_, options_, oo_, names, draws, variables)
% irfs (quarter, variable, shock, draw), level deviations from steady (variable, draw) after a shock of one.
  [~, where] = ismember(names, cellstr(M_.param_names));
  [~, order] = ismember(variables, cellstr(M_.endo_names));
  n = rows(draws);
  irfs = NaN(41, numel(order), M_.exo_nbr, n);
  steady = NaN(numel(order), n);
  info = zeros(1, n);
  unit = eye(M_.exo_nbr);
  clear dyn_first_order_solver  % it remembers the model that it solved before
  started = cputime();
  for d = 1:n
    M_.params(where) = draws(d, :)';
    [dr, code, M_, oo_] = resol(0, M_, options_, oo_);
    info(d) = code(1);
    if code(1) ~= 0
      continue
    end
    steady(:, d) = dr.ys(order);
    for s = 1:M_.exo_nbr
      path = irf(M_, options_, dr, unit(:, s), 41, 0, 1, 1);
      irfs(:, :, s, d) = path(order, :)';
    end
  end
  seconds = cputime() - started;
end

function [names, draws] = read_draws(path)
  file = fopen(path);
  names = strsplit(strtrim(fgetl(file)), ',');
  fclose(file);
  draws = dlmread(path, ',', 1, 0);
end

function answer(text)
  fprintf(stdout, '\n@ %s\n', text);
  fflush(stdout);
end
