// A lower bound on the policy rate of a New Keynesian economy: several surprises, some of them while
// the bound binds, some of the other sign; no line 'relax'.
var y pi i desired r;
varexo e_r e_i;
parameters beta kappa sigma phi rho inertia lower;
beta = 0.99; kappa = 0.05; sigma = 1; phi = 1.5; rho = 0.8; inertia = 0.7; lower = -0.01;
model(linear);
y = y(+1) - (i - pi(+1) - r)/sigma;
pi = beta*pi(+1) + kappa*y;
desired = inertia*desired(-1) + (1 - inertia)*(phi*pi + 0.2*y) + e_i;
[name = 'rate', relax = 'zlb'] i = desired;
[name = 'rate', bind = 'zlb'] i = lower;
r = rho*r(-1) + e_r;
end;
occbin_constraints;
name 'zlb'; bind desired <= lower;
end;
shocks(surprise);
var e_r; periods 1, 4:5, 20; values -0.06, -0.005, 0.02;
var e_i; periods 3, 30; values -0.001, -0.03;
end;
occbin_setup(simul_periods = 50);
occbin_solver(simul_check_ahead_periods = 100);
