// sw07: Smets and Wouters (2007), Shocks and Frictions in US Business Cycles: A Bayesian DSGE Approach,
// American Economic Review 97(3), 586-606, doi:10.1257/aer.97.3.586.
// Written from the paper: "(n)" is the number of its equation. Everything is in quarterly percent around the balanced growth path.
// Shocks are normalised as the authors estimated them, so that the standard deviations of Table 1B apply (docs/worlds/sw07.md):
// eps_b stands with a coefficient of one in (2), and the (1 + beta gamma^(1 - sigma_c)) in the k2 of (8) is one.
// Innovations have unit variance and are scaled in the equations: a loop of Dynare's over parameters then sees their sizes.
// The constants pi_bar and l_bar belong to the measurement equation (15), which is not here: they move no response.

var
  // the economy
  y (long_name='output'), c (long_name='consumption'), inv (long_name='investment'), q (long_name='value of capital'),
  ks (long_name='capital services'), k (long_name='capital installed'), z (long_name='utilisation'), rk (long_name='rental rate of capital'),
  mark_p (long_name='price mark-up'), mark_w (long_name='wage mark-up'), w (long_name='real wage'), l (long_name='hours'),
  pi (long_name='inflation'), r (long_name='policy rate'),
  // the same with flexible prices and wages and no mark-up shocks
  y_f c_f inv_f q_f ks_f k_f z_f rk_f w_f l_f real_f
  // exogenous processes
  eps_a eps_b eps_g eps_i eps_r eps_p eps_w news_p news_w;

varexo eta_a eta_b eta_g eta_i eta_r eta_p eta_w;

parameters
  varphi sigma_c h xi_w sigma_l xi_p iota_w iota_p psi phi_p r_pi rho r_y r_dy beta_bar gamma_bar alpha
  rho_a rho_b rho_g rho_i rho_r rho_p rho_w mu_p mu_w rho_ga
  sigma_a sigma_b sigma_g sigma_i sigma_r sigma_p sigma_w
  delta lambda_w g_y eps_kimball_p eps_kimball_w;

// posterior mode: Table 1A
varphi = 5.48820;
sigma_c = 1.39519;
h = 0.712401;
xi_w = 0.737541;
sigma_l = 1.91988;
xi_p = 0.656266;
iota_w = 0.591998;
iota_p = 0.228354;
psi = 0.547213;
phi_p = 1.61498;
r_pi = 2.02947;
rho = 0.815325;
r_y = 0.0846869;
r_dy = 0.222926;
beta_bar = 0.160654;       // 100 (1/beta - 1)
gamma_bar = 0.432026;      // 100 (gamma - 1)
alpha = 0.192800;

// posterior mode: Table 1B
rho_a = 0.958774;
rho_b = 0.182439;
rho_g = 0.976161;
rho_i = 0.709569;
rho_r = 0.127131;
rho_p = 0.903807;
rho_w = 0.971854;
mu_p = 0.744872;
mu_w = 0.888146;
rho_ga = 0.526121;
sigma_a = 0.451788;
sigma_b = 0.242461;
sigma_g = 0.520010;
sigma_i = 0.450107;
sigma_r = 0.239839;
sigma_p = 0.141124;
sigma_w = 0.244392;

// fixed in estimation
delta = 0.025;
lambda_w = 1.5;
g_y = 0.18;
eps_kimball_p = 10;
eps_kimball_w = 10;

model(linear);
  // steady state of the balanced growth path
  # gamma = 1 + gamma_bar / 100;
  # beta = 1 / (1 + beta_bar / 100);
  # discount = beta * gamma^(1 - sigma_c);               // beta gamma^(1 - sigma_c) of the paper
  # rental = gamma^sigma_c / beta - (1 - delta);          // R^k_*
  # k_y = alpha / rental;                                 // capital's share of income is alpha, as profits are zero
  # i_y = (gamma - 1 + delta) * k_y;
  # c_y = 1 - g_y - i_y;
  # wl_c = (1 - alpha) / (lambda_w * c_y);                // W^h_* L_* / C_*: the wage mark-up is not paid for work
  # habit = h / gamma;

  // coefficients that the paper names
  # c1 = habit / (1 + habit);
  # c2 = (sigma_c - 1) * wl_c / (sigma_c * (1 + habit));
  # c3 = (1 - habit) / (sigma_c * (1 + habit));
  # i1 = 1 / (1 + discount);
  # i2 = i1 / (gamma^2 * varphi);
  # q1 = (1 - delta) / (rental + 1 - delta);
  # z1 = (1 - psi) / psi;
  # k1 = (1 - delta) / gamma;
  # k2 = (1 - k1) * gamma^2 * varphi;
  # pi1 = iota_p / (1 + discount * iota_p);
  # pi2 = discount / (1 + discount * iota_p);
  # pi3 = (1 - discount * xi_p) * (1 - xi_p) / ((1 + discount * iota_p) * xi_p * ((phi_p - 1) * eps_kimball_p + 1));
  # w1 = 1 / (1 + discount);
  # w2 = (1 + discount * iota_w) / (1 + discount);
  # w3 = iota_w / (1 + discount);
  # w4 = (1 - discount * xi_w) * (1 - xi_w) / ((1 + discount) * xi_w * ((lambda_w - 1) * eps_kimball_w + 1));

  [name='(1) Goods market']
  y = c_y * c + i_y * inv + alpha * z + eps_g;
  [name='(2) Consumption']
  c = c1 * c(-1) + (1 - c1) * c(+1) + c2 * (l - l(+1)) - c3 * (r - pi(+1)) + eps_b;
  [name='(3) Investment']
  inv = i1 * inv(-1) + (1 - i1) * inv(+1) + i2 * q + eps_i;
  [name='(4) Value of capital']
  q = q1 * q(+1) + (1 - q1) * rk(+1) - (r - pi(+1)) + eps_b / c3;
  [name='(5) Production']
  y = phi_p * (alpha * ks + (1 - alpha) * l + eps_a);
  [name='(6) Capital services']
  ks = k(-1) + z;
  [name='(7) Utilisation']
  z = z1 * rk;
  [name='(8) Capital']
  k = k1 * k(-1) + (1 - k1) * inv + k2 * eps_i;
  [name='(9) Price mark-up']
  mark_p = alpha * (ks - l) + eps_a - w;
  [name='(10) Price Phillips curve']
  pi = pi1 * pi(-1) + pi2 * pi(+1) - pi3 * mark_p + eps_p;
  [name='(11) Rental rate']
  rk = -(ks - l) + w;
  [name='(12) Wage mark-up']
  mark_w = w - (sigma_l * l + (c - habit * c(-1)) / (1 - habit));
  [name='(13) Wage Phillips curve']
  w = w1 * w(-1) + (1 - w1) * (w(+1) + pi(+1)) - w2 * pi + w3 * pi(-1) - w4 * mark_w + eps_w;
  [name='(14) Policy rule']
  r = rho * r(-1) + (1 - rho) * (r_pi * pi + r_y * (y - y_f)) + r_dy * ((y - y_f) - (y(-1) - y_f(-1))) + eps_r;

  [name='Flexible economy: (1) Goods market']
  y_f = c_y * c_f + i_y * inv_f + alpha * z_f + eps_g;
  [name='Flexible economy: (2) Consumption']
  c_f = c1 * c_f(-1) + (1 - c1) * c_f(+1) + c2 * (l_f - l_f(+1)) - c3 * real_f + eps_b;
  [name='Flexible economy: (3) Investment']
  inv_f = i1 * inv_f(-1) + (1 - i1) * inv_f(+1) + i2 * q_f + eps_i;
  [name='Flexible economy: (4) Value of capital']
  q_f = q1 * q_f(+1) + (1 - q1) * rk_f(+1) - real_f + eps_b / c3;
  [name='Flexible economy: (5) Production']
  y_f = phi_p * (alpha * ks_f + (1 - alpha) * l_f + eps_a);
  [name='Flexible economy: (6) Capital services']
  ks_f = k_f(-1) + z_f;
  [name='Flexible economy: (7) Utilisation']
  z_f = z1 * rk_f;
  [name='Flexible economy: (8) Capital']
  k_f = k1 * k_f(-1) + (1 - k1) * inv_f + k2 * eps_i;
  [name='Flexible economy: (9) no price mark-up']
  w_f = alpha * (ks_f - l_f) + eps_a;
  [name='Flexible economy: (11) Rental rate']
  rk_f = -(ks_f - l_f) + w_f;
  [name='Flexible economy: (12) no wage mark-up']
  w_f = sigma_l * l_f + (c_f - habit * c_f(-1)) / (1 - habit);

  [name='Technology']
  eps_a = rho_a * eps_a(-1) + sigma_a * eta_a;
  [name='Risk premium']
  eps_b = rho_b * eps_b(-1) + sigma_b * eta_b;
  [name='Exogenous spending']
  eps_g = rho_g * eps_g(-1) + sigma_g * eta_g + rho_ga * sigma_a * eta_a;
  [name='Investment-specific technology']
  eps_i = rho_i * eps_i(-1) + sigma_i * eta_i;
  [name='Policy']
  eps_r = rho_r * eps_r(-1) + sigma_r * eta_r;
  [name='Price mark-up shock']
  eps_p = rho_p * eps_p(-1) + news_p - mu_p * news_p(-1);
  [name='Wage mark-up shock']
  eps_w = rho_w * eps_w(-1) + news_w - mu_w * news_w(-1);
  [name='Innovation of the price mark-up']
  news_p = sigma_p * eta_p;
  [name='Innovation of the wage mark-up']
  news_w = sigma_w * eta_w;
end;

shocks;
  var eta_a; stderr 1;
  var eta_b; stderr 1;
  var eta_g; stderr 1;
  var eta_i; stderr 1;
  var eta_r; stderr 1;
  var eta_p; stderr 1;
  var eta_w; stderr 1;
end;

stoch_simul(order=1, irf=41, nograph, noprint) y pi r;
