function referee_ask(driver)
% Runs a Dynare driver script and leaves Dynare's first-order answer in answer.mat, or the error text in error.txt.
% The answer is taken by stoch_simul.m of this folder whenever the driver comes to a stoch_simul; a driver that never
% does so is asked for its decision rule at its end.
  dynare_config();
  save_default_options('-mat');
  try
    evalin('base', driver);
  catch problem
    write_text('error.txt', problem.message);
  end
  if exist('answer.mat', 'file') == 2
    return
  end
  global M_ options_ oo_
  if isempty(M_) || ~isfield(M_, 'exo_nbr')
    return
  end
  if M_.exo_nbr == 0 || ~any(diag(M_.Sigma_e) > 0)
    write_text('no_shocks.txt', 'no shock has a variance');
    return
  end
  try
    referee_answer(M_, options_, oo_);
  catch problem
    write_text('error.txt', problem.message);
  end
end

function write_text(name, text)
  if exist(name, 'file') == 2
    return
  end
  file = fopen(name, 'w');
  fputs(file, text);
  fclose(file);
end
