// A New Keynesian model with quadratic costs of changing prices, after Rotemberg (1982, Journal of
// Political Economy 90), written as first-order conditions, not linearised. One period is a quarter.
var C (long_name='consumption'), W (long_name='real wage'),
    Pi (long_name='gross inflation'), R (long_name='gross policy rate'),
    m (long_name='monetary policy');
varexo e_m (long_name='monetary tightening');
parameters beta sigma nu theta psi phi_pi rho_i;
beta = 0.99; sigma = 1.5; nu = 1; theta = 6; psi = 60; phi_pi = 1.5; rho_i = 0.7;

model;
  [name='Euler equation']   C^(-sigma) = beta*R*C(+1)^(-sigma)/Pi(+1);
  [name='labour supply']    W = C^(sigma + nu);
  [name='Phillips curve']   (Pi - 1)*Pi = beta*(C(+1)/C)^(1 - sigma)*(Pi(+1) - 1)*Pi(+1)
                                          + theta/psi*(W - (theta - 1)/theta);
  [name='Taylor rule']      log(beta*R) = rho_i*log(beta*R(-1)) + (1 - rho_i)*phi_pi*log(Pi) + m;
  m = 0.3*m(-1) + e_m;
end;

steady_state_model;
  Pi = 1;  R = 1/beta;  W = (theta - 1)/theta;  C = W^(1/(sigma + nu));  m = 0;
end;

shocks;
  var e_m; stderr 0.0025;
end;
stoch_simul(order=1, irf=20);
