function foresight(name, rounds)
% Run a file, then say which path its last command of perfect foresight left, and how long that command takes.
  global M_ options_ oo_
  record.message = '';
  try
    evalin('base', ['dynare ' name ' noclearall nograph nolog']);
  catch problem
    record.message = problem.message;
  end
  record.solved = isfield(oo_, 'deterministic_simulation') && isfield(oo_.deterministic_simulation, 'status') ...
                  && all(oo_.deterministic_simulation.status == 1);
  if record.solved
    record.variables = M_.endo_names(1:M_.orig_endo_nbr);
    record.path = oo_.endo_simul(1:M_.orig_endo_nbr, :);
    record.lag = M_.maximum_lag;
    options_.noprint = 1;
    options_.verbosity = 0;
    seconds = zeros(rounds, 1);
    for k = 1:rounds
      began = cputime();
      perfect_foresight_setup;
      perfect_foresight_solver;
      seconds(k) = cputime() - began;
    end
    record.seconds = median(seconds);
  end
  save('-v6', 'answer.mat', 'record');
end
