function [info, oo_, options_, M_] = referee_answer(M_, options_, oo_)
% Dynare's decision rule at order 1 and, from its own irf.m, the responses of every variable of the file to every
% shock with a variance: one standard deviation (lower Cholesky factor), deviations from steady state, impact first.
% The steady state is sought with tight tolerances, since Dynare's default (residuals up to 6e-6) can move the responses by
% more than the referee allows; where that fails, with the file's own. The responses at the file's own are kept beside them.
  options_.order = 1;
  options_.irf = 0;
  options_.periods = 0;
  options_.nomoments = 1;
  options_.noprint = 1;
  options_.nograph = 1;
  options_.replic = 1;
  options_.k_order_solver = false;
  options_.SpectralDensity.trigger = false;
  tight = options_;
  tight.solve_tolf = 1e-13;
  tight.solve_tolx = 1e-14;
  tight.steady.maxit = max(500, options_.steady.maxit);
  horizon = str2double(getenv('REFEREE_HORIZON'));
  record.tight = 1;
  try
    [info, found_oo, found_options, found_M] = genuine_stoch_simul(M_, tight, oo_, {});
  catch
    info = -1;
  end
  record.own_irf = [];
  if info(1) == 0
    record.own_irf = at_own_tolerances(M_, options_, oo_, horizon);
  else
    record.tight = 0;
    [info, found_oo, found_options, found_M] = genuine_stoch_simul(M_, options_, oo_, {});
  end
  M_ = found_M; oo_ = found_oo;
  options_.logged_steady_state = found_options.logged_steady_state;
  record.info = info;
  record.message = '';
  if info(1) ~= 0
    record.message = get_error_message(info, options_);
  end
  record.variables = M_.endo_names(1:M_.orig_endo_nbr);
  record.auxiliaries = M_.endo_names(M_.orig_endo_nbr+1:end);
  record.exogenous = M_.exo_names;
  record.parameters = M_.param_names;
  record.values = M_.params;
  record.covariance = M_.Sigma_e;
  record.steady_state_by = options_.steadystate_flag;
  record.external_function = M_.has_external_function;
  record.loglinear = options_.loglinear;
  record.discretion = options_.discretionary_policy;
  record.ramsey = options_.ramsey_policy;
  record.eigenvalues = [];
  if isfield(oo_.dr, 'eigval')
    record.eigenvalues = oo_.dr.eigval;
  end
  if info(1) == 0
    record.steady_state = oo_.dr.ys;
    with_variance = find(diag(M_.Sigma_e) > 0);
    record.shocks = M_.exo_names(with_variance);
    record.irf = responses(M_, options_, oo_.dr, with_variance, horizon);
  end
  save('-v6', 'answer.mat', 'record');
end

function paths = at_own_tolerances(M_, options_, oo_, horizon)
% The same responses with the steady state as the file's own tolerances leave it; empty where there is none.
  paths = [];
  try
    [info, oo_, changed, M_] = genuine_stoch_simul(M_, options_, oo_, {});
    options_.logged_steady_state = changed.logged_steady_state;
    if info(1) == 0
      paths = responses(M_, options_, oo_.dr, find(diag(M_.Sigma_e) > 0), horizon);
    end
  catch
  end
end

function paths = responses(M_, options_, dr, with_variance, horizon)
% (shock, horizon + 1, variable)
  factor = transpose(chol(M_.Sigma_e + 1e-14*eye(M_.exo_nbr)));
  paths = zeros(numel(with_variance), horizon + 1, M_.orig_endo_nbr);
  for k = 1:numel(with_variance)
    path = irf(M_, options_, dr, factor(:, with_variance(k)), horizon + 1, 0, 1, 1);
    paths(k, :, :) = transpose(path(1:M_.orig_endo_nbr, :));
  end
end
