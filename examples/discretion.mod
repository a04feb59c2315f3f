// A policymaker who cannot commit: cost-push shocks in a New Keynesian economy.
var pi x i u;
varexo e_u;
parameters beta kappa rho weight;
beta = 0.99; kappa = 0.15; rho = 0.5; weight = 0.05;

model(linear);
pi = beta*pi(+1) + kappa*x + u;
x = x(+1) - (i - pi(+1));
u = rho*u(-1) + e_u;
end;

planner_objective pi^2 + weight*x^2;
shocks; var e_u; stderr 0.5; end;
discretionary_policy(instruments = (i), planner_discount = beta, irf = 20);
