function moments_loop(name)
% Dynare's own loop over parameters, as solve_loop.m: a draw is set, solved by resol.m, and answered with th_autocovariances.m
% (covariances, autocorrelations at five lags, variance decomposition) and conditional_variance_decomposition.m at 1, 4, 8 and 20
% periods. Draws lie in draws.csv, variables in variables.txt; an empty file means all. Left in loop.mat: CPU seconds and answers.
  global M_ options_ oo_
  dynare(name, 'noclearall', 'nograph', 'nolog');
  M_.Sigma_e = eye(M_.exo_nbr);
  options_.order = 1;
  options_.ar = 5;
  options_.hp_filter = 0;
  options_.qz_criterium = 1 + 1e-6;
  steps = [1 4 8 20];
  file = fopen('draws.csv');
  names = strsplit(strtrim(fgetl(file)), ',');
  fclose(file);
  draws = dlmread('draws.csv', ',', 1, 0);
  [~, where] = ismember(names, cellstr(M_.param_names));
  variables = strsplit(strtrim(fileread('variables.txt')), "\n");
  [~, order] = ismember(variables, cellstr(M_.endo_names));
  order = order(:);
  n = rows(draws);
  variance = NaN(numel(order), n);
  autocorrelation = NaN(numel(order), 5, n);
  share = NaN(numel(order), M_.exo_nbr, n);
  conditional = NaN(numel(order), numel(steps), M_.exo_nbr, n);
  space.number_of_state_equations = M_.endo_nbr;
  space.number_of_state_innovations = M_.exo_nbr;
  space.sigma_e_is_diagonal = 1;
  space.measurement_error = 0;
  space.observable_pos = [];
  started = cputime();
  for d = 1:n
    M_.params(where) = draws(d, :)';
    [dr, code, M_, oo_] = resol(0, M_, options_, oo_);
    if code(1) ~= 0
      continue
    end
    gamma = th_autocovariances(dr, order, M_, options_, 0);
    variance(:, d) = diag(gamma{1});
    for lag = 1:5
      autocorrelation(:, lag, d) = diag(gamma{lag + 1});
    end
    share(:, :, d) = gamma{7};
    [space.transition_matrix, space.impulse_matrix] = kalman_transition_matrix(dr, (1:M_.endo_nbr)', ...
                                                      M_.nstatic + (1:M_.nspred)', M_.exo_nbr);
    space.state_innovations_covariance_matrix = M_.Sigma_e;
    space.order_var = dr.order_var;
    conditional(:, :, :, d) = conditional_variance_decomposition(space, steps, order);
  end
  seconds = cputime() - started;
  shocks = M_.exo_names;
  save('-v6', 'loop.mat', 'seconds', 'variance', 'autocorrelation', 'share', 'conditional', 'shocks');
end
