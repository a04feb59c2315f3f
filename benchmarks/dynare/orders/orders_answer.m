function orders_answer(M_, options_, oo_)
% Dynare's own answers at order 2 and 3 with pruning, into orders.mat: decision rules by k_order_perturbation (of second and
% of third order), a path of simult_.m under given shocks, the response of irf.m's kind with common random numbers, and the
% moments of pruned_state_space_system.m. The steady state is that of referee_answer.m. Rows of rules in the sequence of the
% file's variables, columns in that of record.states; shocks are independent ones, times the lower Cholesky factor.
  record.variables = M_.endo_names;
  record.original = M_.orig_endo_nbr;
  record.aux = aux_of(M_);
  record.shocks = M_.exo_names;
  record.covariance = M_.Sigma_e;
  for order = [2 3]
    part = struct('message', '');
    try
      part = answer(M_, options_, oo_, order);
      part.message = '';
    catch problem
      part.message = problem.message;
    end
    record.(sprintf('order_%d', order)) = part;
  end
  save('-v6', 'orders.mat', 'record');
end

function part = answer(M_, options_, oo_, order)
  options_.order = order;
  options_.k_order_solver = true;
  options_.pruning = true;
  options_.loglinear = false;
  dr = oo_.dr;
  [dr, info] = stochastic_solvers(dr, 0, M_, options_, oo_);
  if info(1) ~= 0
    error('info %d', info(1));
  end
  inverse = dr.inv_order_var;
  part.states = M_.endo_names(dr.order_var(M_.nstatic + (1:M_.nspred)));
  part.ys = dr.ys;
  for name = {'ghx', 'ghu', 'ghxx', 'ghxu', 'ghuu', 'ghs2', 'ghxxx', 'ghxxu', 'ghxuu', 'ghuuu', 'ghxss', 'ghuss'}
    if isfield(dr, name{1})
      part.(name{1}) = dr.(name{1})(inverse, :);
    end
  end
  % The preprocessor's derivatives, and Dynare's, hold no shock without a variance; those have zeros here.
  moving = diag(M_.Sigma_e) > 0;
  factor = zeros(M_.exo_nbr);
  factor(moving, moving) = transpose(chol(M_.Sigma_e(moving, moving)));
  part.factor = factor;
  periods = 24;
  burn = 12;
  replications = 3;
  rand('twister', 5);
  randn('twister', 5);
  unit = randn(periods, M_.exo_nbr, replications);
  part.unit = unit;
  part.burn = burn;
  start = repmat(dr.ys, 1, M_.maximum_lag);
  shocks = find(moving);
  part.response = zeros(numel(shocks), periods - burn, M_.endo_nbr);
  for r = 1:replications
    given = unit(:, :, r) * transpose(factor);
    plain = simult_(M_, options_, start, dr, given, order);
    if r == 1
      part.path = plain(:, M_.maximum_lag + 1:end)';
    end
    for k = 1:numel(shocks)
      pulsed = given;
      pulsed(burn + 1, :) = pulsed(burn + 1, :) + factor(:, shocks(k))';
      moved = simult_(M_, options_, start, dr, pulsed, order);
      change = (moved - plain)(:, M_.maximum_lag + burn + 1:end)';
      part.response(k, :, :) = squeeze(part.response(k, :, :)) + change / replications;
    end
  end
  part.moments_message = '';
  try
    if M_.nspred > 12 || (order == 3 && M_.nspred > 4) || M_.endo_nbr > 60
      error('not asked: too large for its Kronecker products');
    end
    options_.qz_criterium = 1 + 1e-6;
    system = pruned_state_space_system(M_, options_, dr, (1:M_.endo_nbr)', 3, 0, 0);
    part.mean = system.E_y(inverse);
    part.variance = system.Var_y(inverse, inverse);
    part.lagged = system.Var_yi(inverse, inverse, :);
  catch problem
    part.moments_message = problem.message;
  end
end

function rows = aux_of(M_)
% name of the auxiliary variable, name of the variable (or shock) that it stands for, its shift; of leads and others nothing.
  rows = {};
  for k = 1:numel(M_.aux_vars)
    aux = M_.aux_vars(k);
    if aux.type == 1
      rows(end+1, :) = {M_.endo_names{aux.endo_index}, M_.endo_names{aux.orig_index}, aux.orig_lead_lag};
    elseif aux.type == 3
      rows(end+1, :) = {M_.endo_names{aux.endo_index}, M_.exo_names{aux.orig_index}, aux.orig_lead_lag};
    end
  end
end
