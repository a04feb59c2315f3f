// Optimal policy under discretion with states of its own: inertia of inflation and output, a cost
// of changes of the instrument, whose lag is a state; correlated shocks.
var x pi i di g;
varexo e_pi e_g;
parameters beta theta habit kappa sigma rho weight cost;
beta = 0.98; theta = 0.4; habit = 0.3; kappa = 0.1; sigma = 2; rho = 0.8; weight = 0.5; cost = 0.2;
model(linear);
pi = theta*pi(-1) + (1 - theta)*beta*pi(+1) + kappa*x + e_pi;
x = habit*x(-1) + (1 - habit)*x(+1) - (i - pi(+1))/sigma + g;
di = i - i(-1);
g = rho*g(-1) + e_g;
end;
shocks; var e_pi; stderr 0.6; var e_g; stderr 0.4; corr e_pi, e_g = 0.3; end;
planner_objective pi^2 + weight*x^2 + cost*di^2;
discretionary_policy(instruments=(i), irf=21, planner_discount=beta, discretionary_tol=1e-14, nograph);
