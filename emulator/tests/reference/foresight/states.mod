// The same model with a state for each period that the news is old: shocks are known 4 periods ahead.
var m4 m3 m2 m1 n4 n3 n2 n1;
var x pi i a; parameters beta kappa phi rho g; beta = 0.99; kappa = 0.1; phi = 1.5; rho = 0.7; g = 0.4;
varexo e_m e_a;
model(linear);
  x = g*x(-1) + (1-g)*x(+1) - (i - pi(+1)) + a;
  pi = beta*pi(+1) + kappa*x;
  i = phi*pi + m1(-1);
  a = rho*a(-1) + n1(-1);
  m4 = e_m; m3 = m4(-1); m2 = m3(-1); m1 = m2(-1);
  n4 = e_a; n3 = n4(-1); n2 = n3(-1); n1 = n2(-1);
end;
shocks; var e_m; stderr 0.25; var e_a; stderr 0.5; end;
stoch_simul(order=1, irf=21, nograph, nomoments, noprint);
