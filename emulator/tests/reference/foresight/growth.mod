// Ramsey's model: a lasting fall of taxes from period 5 on, known from period 1, and a rise of
// productivity in periods 2 and 3.
var c k y; varexo a tau;
parameters beta alpha delta gamma; beta = 0.96; alpha = 0.33; delta = 0.1; gamma = 2;
model;
  c^(-gamma) = beta*c(+1)^(-gamma)*((1 - tau(+1))*alpha*y(+1)/k + 1 - delta);
  y = a*k(-1)^alpha;
  c + k = y + (1 - delta)*k(-1);
end;
initval; a = 1; tau = 0.3; k = 2; y = 1.25; c = 1.05; end;
steady;
endval; a = 1; tau = 0.1; k = 3; y = 1.4; c = 1.1; end;
steady;
shocks;
  var tau; periods 1:4; values 0.3;
  var a; periods 2:3 6; values (1 + 2*0.02) 0.97;
end;
perfect_foresight_setup(periods=150);
perfect_foresight_solver;
