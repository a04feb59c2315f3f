// rbc: a real business cycle with flexible prices and a Taylor rule.
// Equations in levels, one period a quarter. King and Rebelo (1999), Handbook of Macroeconomics 1B, ch. 14,
// doi:10.1016/S1574-0048(99)10022-3, with government purchases; nominal side: Galí (2015), ch. 2.
// Shocks have unit variance and are scaled in the equations: a loop of Dynare's over parameters then sees their sizes.
// The weight of labour in utility is one: it sets the unit in which hours are counted and moves no response.

var
  y (long_name='output'), c (long_name='consumption'), inv (long_name='investment'), k (long_name='capital at the end of the quarter'),
  n (long_name='hours'), w (long_name='real wage'), rk (long_name='rental rate of capital'), gov (long_name='government purchases'),
  Pi (long_name='gross inflation'), R (long_name='gross nominal rate'),
  a (long_name='log technology'), g (long_name='log purchases, deviation'), m (long_name='deviation from the rule');

varexo e_a e_g e_m;

parameters alpha beta delta sigma frisch g_share phi_pi rho_i rho_a rho_g rho_m sigma_a sigma_g sigma_m;

alpha = 0.33;
beta = 0.99;
delta = 0.025;
sigma = 1;
frisch = 2;
g_share = 0.2;
phi_pi = 1.5;
rho_i = 0.7;
rho_a = 0.95;
rho_g = 0.95;
rho_m = 0.3;
sigma_a = 0.7;      // percent
sigma_g = 1;        // percent
sigma_m = 0.25;     // quarterly percentage points

model;
  [name='Euler equation of capital']
  c^(-sigma) = beta * c(+1)^(-sigma) * (1 - delta + rk(+1));
  [name='Labour supply']
  n^(1/frisch) = w * c^(-sigma);
  [name='Production']
  y = exp(a) * k(-1)^alpha * n^(1-alpha);
  [name='Labour demand']
  w = (1 - alpha) * y / n;
  [name='Demand for capital']
  rk = alpha * y / k(-1);
  [name='Capital']
  k = (1 - delta) * k(-1) + inv;
  [name='Goods market']
  y = c + inv + gov;
  [name='Government purchases']
  gov = g_share * STEADY_STATE(y) * exp(g);
  [name='Fisher equation']
  c^(-sigma) = beta * c(+1)^(-sigma) * R / Pi(+1);
  [name='Taylor rule']
  beta * R = (beta * R(-1))^rho_i * Pi^(phi_pi * (1 - rho_i)) * exp(m);
  [name='Technology']
  a = rho_a * a(-1) + sigma_a / 100 * e_a;
  [name='Spending']
  g = rho_g * g(-1) + sigma_g / 100 * e_g;
  [name='Policy']
  m = rho_m * m(-1) + sigma_m / 100 * e_m;
end;

steady_state_model;
  a = 0;
  g = 0;
  m = 0;
  Pi = 1;
  R = 1 / beta;
  rk = 1 / beta - 1 + delta;
  k_n = (alpha / rk)^(1 / (1 - alpha));
  y_n = k_n^alpha;
  c_n = (1 - g_share) * y_n - delta * k_n;
  w = (1 - alpha) * y_n;
  n = (w * c_n^(-sigma))^(1 / (sigma + 1 / frisch));
  k = k_n * n;
  y = y_n * n;
  c = c_n * n;
  inv = delta * k;
  gov = g_share * y;
end;

shocks;
  var e_a; stderr 1;
  var e_g; stderr 1;
  var e_m; stderr 1;
end;

stoch_simul(order=1, irf=41, nograph, noprint) y Pi R;
