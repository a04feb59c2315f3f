// Lags of two periods, a lag and a lead of a shock, a lead of two periods times a variable of today.
var q d m;
varexo e v;
parameters beta rho;
beta = 0.9; rho = 0.6;
model;
  d = exp(rho*log(d(-1)) + 0.2*log(d(-2)) + e + 0.5*e(-1));
  q = beta*(q(+1) + d(+1))*exp(0.1*v);
  m = d*d(+2) + 0.1*q^2*exp(0.2*e(+1));
end;
steady_state_model;
  d = 1;
  q = beta/(1-beta);
  m = 1 + 0.1*q^2;
end;
shocks; var e; stderr 0.1; var v; stderr 0.2; end;
stoch_simul(order=3, pruning, irf=0, nomoments, noprint);
