// Investment cannot fall below a share of its steady state: not linear, with a steady state, sizes
// of shocks, and a second run in which the first surprises are overwritten.
var a c k iv mu;
varexo e;
parameters alpha beta delta gamma rho share;
alpha = 0.3; beta = 0.97; delta = 0.08; gamma = 1.5; rho = 0.85; share = 0.98;
model;
[name = 'Euler']
c^(-gamma) - mu = beta*(c(+1)^(-gamma)*(1 - delta + alpha*exp(a(+1))*k^(alpha - 1)) - (1 - delta)*mu(+1));
c + iv = exp(a)*k(-1)^alpha;
k = (1 - delta)*k(-1) + iv;
[name = 'investment', relax = 'floor'] mu = 0;
[name = 'investment', bind = 'floor'] iv = share*steady_state(iv);
a = rho*a(-1) + e;
end;
steady_state_model;
a = 0;
k = ((1/beta - 1 + delta)/alpha)^(1/(alpha - 1));
iv = delta*k;
c = k^alpha - iv;
mu = 0;
end;
shocks; var e; stderr 0.02; end;
steady;
occbin_constraints;
name 'floor'; bind iv < share*steady_state(iv); relax mu < 0;
end;
shocks(surprise); var e; periods 1; values 0.03; end;
occbin_setup(simul_periods = 40);
occbin_solver;
rho = 0.9;
steady;
shocks(surprise, overwrite); var e; periods 2, 3; values -0.03, -0.01; end;
occbin_setup(simul_periods = 40);
occbin_solver;
