// A New Keynesian model with inertia. Its shocks are surprises.
var x pi i a; parameters beta kappa phi rho g; beta = 0.99; kappa = 0.1; phi = 1.5; rho = 0.7; g = 0.4;
varexo e_m e_a;
model(linear);
  x = g*x(-1) + (1-g)*x(+1) - (i - pi(+1)) + a;
  pi = beta*pi(+1) + kappa*x;
  i = phi*pi + e_m;
  a = rho*a(-1) + e_a;
end;
shocks; var e_m; stderr 0.25; var e_a; stderr 0.5; end;
stoch_simul(order=1, irf=21, nograph, nomoments, noprint);
