// Two constraints: a lower bound on the rate and a cap on lending; an equation with a version for
// both at once; surprises in values of a parameter and of the workspace.
var y pi i desired b spread r;
varexo e_r e_b;
parameters beta kappa phi rho cap lower weight;
beta = 0.99; kappa = 0.1; phi = 1.6; rho = 0.75; cap = 0.015; lower = -0.008; weight = 0.3;
model(linear);
y = 0.3*y(-1) + 0.7*y(+1) - (i - pi(+1) - r) + weight*(b - b(-1)) - 0.1*spread;
pi = 0.3*pi(-1) + 0.69*pi(+1) + kappa*y;
desired = 0.5*desired(-1) + 0.5*(phi*pi + 0.25*y);
[name = 'rate', relax = 'zlb'] i = desired;
[name = 'rate', bind = 'zlb', relax = 'cap'] i = lower;
[name = 'rate', bind = 'zlb,cap'] i = lower + 0.1*spread;
[name = 'lending', relax = 'cap'] spread = 0;
[name = 'lending', bind = 'cap'] b = cap;
b = 0.85*b(-1) + 0.2*y - 0.5*spread + e_b;
r = rho*r(-1) + e_r;
end;
occbin_constraints;
name 'zlb'; bind i < lower; relax desired > lower;
name 'cap'; bind b > cap; relax spread < 0;
end;
large = 0.03;
shocks(surprise);
var e_r; periods 1:2, 8; values (-0.7*large), 0.02;
var e_b; periods 1, 20; values (14*cap), (20*cap);
end;
occbin_setup(simul_periods = 60, simul_maxit = 100);
occbin_solver;
