function moments_answer(M_, options_, oo_)
% Dynare's own theoretical moments at order 1 of every variable of the file, by its disp_th_moments.m, into moments.mat:
% plain, and HP-filtered with lambda 1600. The decision rule is that of referee_answer.m. Of models of many variables the
% filtered ones are those of the first MOMENTS_FILTERED variables, since Dynare's filter holds 512 full spectra.
  options_.order = 1;
  if isempty(options_.qz_criterium)
    options_.qz_criterium = 1 + 1e-6;  % as stoch_simul.m sets it
  end
  options_.ar = 5;
  options_.periods = 0;
  options_.noprint = 1;
  options_.nocorr = 0;
  options_.nodecomposition = 0;
  options_.nomoments = 0;
  options_.contemporaneous_correlation = 1;
  options_.TeX = 0;
  options_.bandpass.indicator = 0;
  options_.one_sided_hp_filter = 0;
  options_.hp_filter = 0;
  options_.conditional_variance_decomposition = [];
  names = M_.endo_names(1:M_.orig_endo_nbr);
  names = names(~strncmp('MULT_', names, 5));
  record.variables = names;
  record.shocks = M_.exo_names;
  record.covariance = M_.Sigma_e;
  steps = [1 4 8 20];
  record.steps = steps;
  record.plain = part(@() disp_th_moments(oo_.dr, names, M_, options_, oo_));
  with_steps = options_;
  with_steps.conditional_variance_decomposition = steps;
  conditional = part(@() disp_th_moments(oo_.dr, names, M_, with_steps, oo_));
  record.conditional_message = conditional.message;
  if isfield(conditional, 'conditional')
    record.conditional = conditional.conditional;
  end
  filtered = options_;
  filtered.hp_filter = 1600;
  few = names(1:min(numel(names), str2double(getenv('MOMENTS_FILTERED'))));
  record.filtered_variables = few;
  record.filtered = part(@() disp_th_moments(oo_.dr, few, M_, filtered, oo_));
  save('-v6', 'moments.mat', 'record');
end

function answer = part(question)
  answer.message = '';
  try
    oo = question();
  catch problem
    answer.message = problem.message;
    return
  end
  for name = {'mean', 'var', 'variance_decomposition', 'contemporaneous_correlation'}
    if isfield(oo, name{1})
      answer.(name{1}) = oo.(name{1});
    end
  end
  if isfield(oo, 'conditional_variance_decomposition')
    answer.conditional = oo.conditional_variance_decomposition;
  end
  if isfield(oo, 'autocorr')
    answer.autocorr = cat(3, oo.autocorr{:});
  end
end
