// The world nk in Dynare: the equations of emulator/worlds/nk.py, quarterly percent, shocks of unit variance.
var x pi i m r u;
varexo e_m e_r e_u;
parameters sigma beta kappa phi_pi phi_y rho_i rho_m rho_r rho_u sigma_m sigma_r sigma_u;

sigma = 1.5; beta = 0.99; kappa = 0.1; phi_pi = 1.5; phi_y = 0.125; rho_i = 0.7;
rho_m = 0.3; rho_r = 0.7; rho_u = 0.5; sigma_m = 0.25; sigma_r = 0.5; sigma_u = 0.2;

model(linear);
  x = x(+1) - (i - pi(+1) - r) / sigma;
  pi = beta * pi(+1) + kappa * x + u;
  i = rho_i * i(-1) + (1 - rho_i) * (phi_pi * pi + phi_y * x) + m;
  m = rho_m * m(-1) + sigma_m * e_m;
  r = rho_r * r(-1) + sigma_r * e_r;
  u = rho_u * u(-1) + sigma_u * e_u;
end;

shocks;
  var e_m; stderr 1;
  var e_r; stderr 1;
  var e_u; stderr 1;
end;

stoch_simul(order=1, irf=41, periods=0, nograph, noprint, nomoments, nofunctions, nocorr) x pi i;
