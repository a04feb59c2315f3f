// A growth model whose shocks to productivity are large, simulated by the extended path.
var c k z;
varexo e;
parameters beta alpha delta gamma rho;
beta = 0.96; alpha = 0.33; delta = 0.1; gamma = 3; rho = 0.8;

model;
  c^(-gamma) = beta*c(+1)^(-gamma)*(alpha*exp(z(+1))*k^(alpha - 1) + 1 - delta);
  c + k = exp(z)*k(-1)^alpha + (1 - delta)*k(-1);
  z = rho*z(-1) + e;
end;

steady_state_model;
  z = 0; k = ((1/beta - 1 + delta)/alpha)^(1/(alpha - 1)); c = k^alpha - delta*k;
end;

shocks; var e; stderr 0.1; end;
steady;
extended_path(periods = 100);
