// Productivity rises for a while, then, as is learnt in period 4, for good, and in period 8 less
// than was thought; learning.csv holds what is known when.
var c k; varexo a; parameters beta alpha delta; beta = 0.96; alpha = 0.33; delta = 0.1;
model;
  1/c = beta/c(+1)*(alpha*a(+1)*k^(alpha - 1) + 1 - delta);
  c + k = a*k(-1)^alpha + (1 - delta)*k(-1);
end;
initval; a = 1; k = 3.5; c = 1.1; end;
steady;
perfect_foresight_with_expectation_errors_setup(periods = 40, datafile = 'learning.csv');
perfect_foresight_with_expectation_errors_solver;
