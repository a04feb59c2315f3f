// An optimal simple rule: inertia of output and inflation, weights on variances and a covariance.
var y pi r;
varexo e_y e_pi;
parameters delta sigma alpha kappa a b weight;
delta = 0.45; sigma = -0.2; alpha = 0.5; kappa = 0.2; weight = 0.3;
model(linear);
y = delta*y(-1) + (1-delta)*y(+1) + sigma*(r - pi(+1)) + e_y;
pi = alpha*pi(-1) + (1-alpha)*pi(+1) + kappa*y + e_pi;
r = a*y + b*pi;
end;
shocks; var e_y; stderr 0.6; var e_pi; stderr 0.4; end;
a = 0.5; b = 1.5;
optim_weights;
pi 1; y 1; r weight;
y, pi 0.2;
end;
osr_params a b;
options_.osr.tolf = 1e-20;
osr(irf=0, nograph);
