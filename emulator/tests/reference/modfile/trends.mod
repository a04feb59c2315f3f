// Growth: variables with a common trend that the program removes.
var g;
trend_var(growth_factor=g) A;
var(deflator=A) y c k;
varexo e;
parameters alpha beta delta rho gbar;
alpha = 0.33; beta = 0.99; delta = 0.025; rho = 0.6; gbar = 1.005;
model;
  y = k(-1)^alpha*A^(1-alpha);
  c(+1) = beta*c*(alpha*y(+1)/k + 1 - delta);
  k = y - c + (1-delta)*k(-1);
  g = gbar*(g(-1)/gbar)^rho*exp(e);
end;
initval; g = 1.005; k = 25; y = 2.9; c = 2.2; end;
steady(tolf=1e-13, maxit=100);
shocks; var e; stderr 0.01; end;
stoch_simul(order=1, irf=21, nograph, noprint);
