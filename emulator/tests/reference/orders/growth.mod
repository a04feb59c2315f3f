// The growth model: utility of constant risk aversion, capital, productivity, a bond rate.
var c k a r;
varexo e;
parameters beta alpha rho gamma delta;
beta = 0.95; alpha = 0.35; rho = 0.8; gamma = 4; delta = 0.1;
model;
  c^(-gamma) = beta*c(+1)^(-gamma)*(alpha*exp(a(+1))*k^(alpha-1) + 1 - delta);
  c + k = exp(a)*k(-1)^alpha + (1-delta)*k(-1);
  a = rho*a(-1) + e;
  1/r = beta*(c(+1)/c)^(-gamma);
end;
steady_state_model;
  a = 0;
  k = ((1/beta - 1 + delta)/alpha)^(1/(alpha-1));
  c = k^alpha - delta*k;
  r = 1/beta;
end;
shocks; var e; stderr 0.05; end;
stoch_simul(order=3, pruning, irf=0, nomoments, noprint);
