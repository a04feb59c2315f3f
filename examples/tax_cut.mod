// Ramsey's growth model with a tax on capital income. The tax falls from 30 to 20 percent for good in
// period 9, and everybody knows it from period 1 on.
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
endval; a = 1; tau = 0.2; k = 2.3; y = 1.3; c = 1.08; end;
steady;
shocks; var tau; periods 1:8; values 0.3; end;

perfect_foresight_setup(periods = 100);
perfect_foresight_solver;
