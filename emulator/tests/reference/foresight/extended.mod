// A growth model with large shocks, simulated by the extended path.
var c k z g; varexo e d; parameters beta alpha delta gamma rho;
beta = 0.96; alpha = 0.33; delta = 0.1; gamma = 3; rho = 0.8;
model;
  c^(-gamma) = beta*c(+1)^(-gamma)*(alpha*exp(z(+1))*k^(alpha - 1) + 1 - delta);
  c + k + g = exp(z)*k(-1)^alpha + (1 - delta)*k(-1);
  z = rho*z(-1) + e;
  g = 0.1*exp(d + 0.5*d(-1));
end;
initval; k = 3; c = 1; z = 0; g = 0.1; end;
steady;
shocks; var e; stderr 0.1; var d; stderr 0.3; corr e, d = 0.4; end;
extended_path(periods = 12);
