// A random walk, its difference, a purely static variable and a purely forward-looking one; a deterministic shock that stays zero.
var tau g dy p stat;
varexo e_tau e_g;
varexo_det tax;
parameters rho;
rho = 0.5;
model(linear);
  tau = tau(-1) + e_tau;
  g = rho*g(-1) + e_g + tax;
  dy = diff(tau + g);
  p = 0.95*p(+1) + dy;
  stat = 2*dy - p;
end;
shocks;
  var e_tau; stderr 1;
  var e_g; stderr 0.5;
  var tax; periods 4:6; values 0.1;
end;
stoch_simul(order=1, irf=21, nograph, noprint, periods=0);
