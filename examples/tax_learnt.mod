// The economy of tax_cut.mod. A fall of the tax on capital income from 30 to 25 percent is announced
// for period 9; in period 5 it is learnt that it will be 20 percent.
var c k y;
varexo a tau;
parameters beta alpha delta gamma;
beta = 0.96; alpha = 0.33; delta = 0.1; gamma = 2;

model;
  [name = 'Euler equation'] c^(-gamma) = beta*c(+1)^(-gamma)*((1 - tau(+1))*alpha*y(+1)/k + 1 - delta);
  [name = 'production'] y = a*k(-1)^alpha;
  [name = 'resources'] c + k = y + (1 - delta)*k(-1);
end;

initval; a = 1; tau = 0.3; k = 2; y = 1.25; c = 1.05; end;
steady;
shocks; var tau; periods 1:8; values 0.3; end;
endval(learnt_in = 1); tau = 0.25; end;
endval(learnt_in = 5); tau = 0.2; end;

perfect_foresight_with_expectation_errors_setup(periods = 100);
perfect_foresight_with_expectation_errors_solver;
