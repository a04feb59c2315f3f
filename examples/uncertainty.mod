// A growth model whose productivity becomes more uncertain at times: stochastic volatility after
// Fernandez-Villaverde, Guerron-Quintana, Rubio-Ramirez and Uribe (2011, American Economic Review
// 101). Households fear risk (gamma), so that they save more when it rises: an effect that begins
// at third order. One period is a quarter.
var C (long_name='consumption, percent'), I (long_name='investment, percent'), c, k,
    a (long_name='productivity'), s (long_name='log of its volatility');
varexo e (long_name='productivity shock'), v (long_name='uncertainty shock');
parameters beta gamma alpha delta rho rho_s size;
beta = 0.99; gamma = 10; alpha = 0.33; delta = 0.025; rho = 0.95; rho_s = 0.9; size = 0.01;

model;
  c^(-gamma) = beta*c(+1)^(-gamma)*(alpha*exp(a(+1))*k^(alpha - 1) + 1 - delta);
  c + k = exp(a)*k(-1)^alpha + (1 - delta)*k(-1);
  a = rho*a(-1) + size*exp(s(-1))*e;
  s = rho_s*s(-1) + v;
  C = 100*log(c);
  I = 100*log(k - (1 - delta)*k(-1));
end;

steady_state_model;
  a = 0;  s = 0;
  k = ((1/beta - 1 + delta)/alpha)^(1/(alpha - 1));
  c = k^alpha - delta*k;
  C = 100*log(c);  I = 100*log(delta*k);
end;

shocks;
  var e; stderr 1;
  var v; stderr 0.4;
end;
stoch_simul(order=3, pruning, irf=40);
