// Two correlated shocks, two states, products of everything, a forward-looking variable.
var x y w z;
varexo e u;
parameters a b;
a = 0.7; b = 0.5;
model;
  x = a*x(-1) + 0.2*x(-1)^2 + 0.3*x(-1)*e + e + 0.1*z(-1)^3;
  z = b*z(-1) + u + 0.15*u^2 + 0.1*x(-1)*z(-1) + 0.05*u^3;
  y = 0.5*y(+1) + x*z + 0.1*x^2*e;
  w = exp(0.3*x + 0.2*z) - 1;
end;
initval; x = 0; y = 0; w = 0; z = 0; end;
steady;
shocks; var e; stderr 0.4; var u; stderr 0.5; var e, u = 0.05; end;
stoch_simul(order=3, pruning, irf=0, nomoments, noprint);
