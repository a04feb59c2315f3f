// Responses of logarithms.
var y c k a;
varexo e;
parameters alpha beta delta rho;
alpha = 0.3; beta = 0.99; delta = 0.025; rho = 0.95;
model;
  1/c = beta/c(+1)*(alpha*a(+1)*k^(alpha-1) + 1 - delta);
  y = a*k(-1)^alpha;
  k = y - c + (1-delta)*k(-1);
  log(a) = rho*log(a(-1)) + e;
end;
steady_state_model;
  a = 1; k = (alpha/(1/beta - 1 + delta))^(1/(1-alpha)); y = k^alpha; c = y - delta*k;
end;
shocks; var e; stderr 0.01; end;
stoch_simul(order=1, irf=21, loglinear, nograph, noprint);
