// Optimal policy under discretion of a model that is not linear, by its derivatives at zero; two
// instruments; a longer lead.
var y pi c s m;
varexo e z;
parameters beta a b;
beta = 0.97; a = 0.3; b = 0.6;
model;
pi = beta*pi(+2) + a*(exp(y) - 1) + e;
y = b*y(-1) + y(+1)*0.2 - s + 0.5*c + z;
c = 0.4*c(-1) + m*exp(0.2*m) - 0.3*y(-1)*exp(c);
end;
shocks; var e; stderr 0.5; var z; stderr 0.2; end;
planner_objective pi^2 + 0.5*y^2 + 0.1*s^2 + 0.2*m^2 + 0.3*c^2 + 0.05*y*c;
discretionary_policy(instruments=(s, m), irf=21, planner_discount=beta, discretionary_tol=1e-14, nograph);
