// A New Keynesian model with habit and indexation, in quarterly percent.
// Christiano, Eichenbaum and Evans (2005) in three equations: habit in the IS curve, lagged inflation in the Phillips curve.
var y (long_name='output gap'), pi (long_name='inflation'), i (long_name='policy rate'), d (long_name='demand');
varexo e_m (long_name='monetary tightening'), e_d (long_name='demand');

parameters sigma $\sigma$ (long_name='inverse elasticity of substitution')
  h $h$ (long_name='habit')
  kappa $\kappa$ (long_name='slope of the Phillips curve')
  iota $\iota$ (long_name='indexation to past inflation')
  phi $\phi_\pi$ (long_name='reaction to inflation')
  rho_i $\rho_i$ (long_name='smoothing of the rate')
  rho_d $\rho_d$ (long_name='persistence of demand');
sigma = 1.5; h = 0.6; kappa = 0.08; iota = 0.4; phi = 1.6; rho_i = 0.75; rho_d = 0.7;

model(linear);
  # beta = 0.99;
  [name='IS curve']
  y = (y(+1) + h*y(-1))/(1 + h) - (1 - h)/(sigma*(1 + h))*(i - pi(+1)) + d;
  [name='Phillips curve']
  pi = (beta*pi(+1) + iota*pi(-1) + kappa*y)/(1 + beta*iota);
  [name='Taylor rule']
  i = rho_i*i(-1) + (1 - rho_i)*phi*pi + e_m;
  d = rho_d*d(-1) + e_d;
end;

shocks;
  var e_m; stderr 0.25;
  var e_d; stderr 0.3;
end;
stoch_simul(order=1, irf=20);
