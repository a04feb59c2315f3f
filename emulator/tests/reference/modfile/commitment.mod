// Optimal policy under commitment: a planner in place of a policy rule; weights and discount by expressions.
var x pi i u r di;
varexo e_u e_r;
parameters beta sigma kappa eta rho_u rho_r;
beta = 0.99; sigma = 1.2; kappa = 0.15; eta = 6; rho_u = 0.6; rho_r = 0.8;
model(linear);
  x = x(+1) - (i - pi(+1) - r)/sigma;
  pi = beta*pi(+1) + kappa*x + u;
  di = i - i(-1);
  u = rho_u*u(-1) + e_u;
  r = rho_r*r(-1) + e_r;
end;
steady_state_model; x = 0; pi = 0; i = 0; u = 0; r = 0; di = 0; end;
shocks; var e_u; stderr 0.5; var e_r; stderr 1; end;
planner_objective pi^2 + kappa/eta*x^2 + 0.05*di^2;
ramsey_model(instruments=(i), planner_discount=beta);
stoch_simul(order=1, irf=21, nograph, noprint);
