// New Keynesian model in which output and inflation of a quarter are decided the quarter before,
// after Rotemberg and Woodford (1997, NBER Macroeconomics Annual 12). A monetary shock cannot move
// them in its own quarter, which is what a recursive VAR with the policy rate ordered last assumes.
// Habit in consumption, indexation of prices; all in quarterly percent.

var x (long_name='output'), p (long_name='inflation'), i (long_name='policy rate'),
    x_ahead (long_name='output decided for the next quarter'),
    p_ahead (long_name='inflation decided for the next quarter'),
    m (long_name='monetary policy'), r (long_name='demand'), u (long_name='cost push');
varexo e_m (long_name='monetary tightening'), e_r (long_name='demand'), e_u (long_name='cost push');
parameters sigma habit kappa iota phi_pi phi_y rho_i rho_m rho_r rho_u;

sigma = 1.5; habit = 0.7; kappa = 0.02; iota = 0.5;
phi_pi = 1.5; phi_y = 0.12; rho_i = 0.75; rho_m = 0.3; rho_r = 0.7; rho_u = 0.3;

model(linear);
  [name='output is what was decided'] x = x_ahead(-1);
  [name='inflation is what was decided'] p = p_ahead(-1);
  [name='IS curve, a quarter ahead']
  (1 + habit)*x_ahead = habit*x + x_ahead(+1) - (1 - habit)/sigma*(i(+1) - p_ahead(+1)) + r;
  [name='Phillips curve, a quarter ahead']
  (1 + 0.99*iota)*p_ahead = iota*p + 0.99*p_ahead(+1) + kappa*x_ahead + u;
  [name='Taylor rule'] i = rho_i*i(-1) + (1 - rho_i)*(phi_pi*p + phi_y*x) + m;
  m = rho_m*m(-1) + e_m;
  r = rho_r*r(-1) + e_r;
  u = rho_u*u(-1) + e_u;
end;

shocks;
  var e_m; stderr 0.2;
  var e_r; stderr 0.3;
  var e_u; stderr 0.15;
end;
stoch_simul(order=1, irf=20);
