// The Taylor rule that trades off inflation, output and the volatility of the rate best.
var y pi i u;
varexo e_u e_y;
parameters beta kappa delta phi_pi phi_y rho weight;
beta = 0.99; kappa = 0.1; delta = 0.4; rho = 0.5; weight = 0.25;

model(linear);
y = delta*y(-1) + (1 - delta)*y(+1) - 0.3*(i - pi(+1)) + e_y;
pi = 0.4*pi(-1) + 0.6*beta*pi(+1) + kappa*y + u;
i = phi_pi*pi + phi_y*y;
u = rho*u(-1) + e_u;
end;

shocks; var e_u; stderr 0.3; var e_y; stderr 0.5; end;
phi_pi = 1.5; phi_y = 0.1;

optim_weights; pi 1; y 1; i weight; end;
osr_params phi_pi phi_y;
osr(irf = 20);
