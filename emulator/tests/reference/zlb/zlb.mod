% The world `zlb`: the three-equation New Keynesian model under a zero lower bound, in quarterly percent.
var x pi i notional m r u;
varexo e_m e_r e_u;
parameters sigma beta kappa phi_pi phi_y rho_i rho_m rho_r rho_u sigma_m sigma_r sigma_u pi_star shortfall;
sigma = 1.5; beta = 0.995; kappa = 0.05; phi_pi = 1.5; phi_y = 0.25; rho_i = 0.5;
rho_m = 0.3; rho_r = 0.8; rho_u = 0.5; sigma_m = 0.25; sigma_r = 0.5; sigma_u = 0.2; pi_star = 1; shortfall = 8;

model;
  x = x(+1) - (i - pi(+1) - r) / sigma;
  pi = beta * pi(+1) + kappa * x + u;
  notional = rho_i * i(-1) + (1 - rho_i) * (phi_pi * pi + phi_y * x) + m;
  [name = 'rate', relax = 'zlb']
  i = notional;
  [name = 'rate', bind = 'zlb']
  i = 100 * log(beta) - pi_star / 4;
  m = rho_m * m(-1) + sigma_m * e_m;
  r = rho_r * r(-1) + sigma_r * e_r;
  u = rho_u * u(-1) + sigma_u * e_u;
end;

occbin_constraints;
  name 'zlb'; bind notional < 100 * log(beta) - pi_star / 4; relax notional > 100 * log(beta) - pi_star / 4;
end;

steady_state_model;
  x = 0; pi = 0; i = 0; notional = 0; m = 0; r = 0; u = 0;
end;

shocks;
  var e_m; stderr 1;
  var e_r; stderr 1;
  var e_u; stderr 1;
end;

steady;
check;

shocks(surprise);
  var e_r; periods 1; values -1;
end;
occbin_setup(simul_periods = 41, simul_check_ahead_periods = 200, simul_maxit = 100);
