// Functions with kinks and distribution functions, away from their kinks; comparisons; powers and signs.
var y z w v s;
varexo e;
parameters rho lower;
rho = 0.7; lower = -0.5;
model;
  y = rho*y(-1) + 0.1*max(z, lower) + e;
  z = -y^2 + 0.5*min(y, 2*y + 1) + 0.2*normcdf(y) - 0.1;
  w = abs(y - 1) + sign(y - 1)*y + 0.3*erf(y/2) + normpdf(y, 0.5, 2) + normcdf(z, 0.1, 0.7);
  v = exp(-0.1*w(+1)) + sqrt(1 + w^2) + log(2 + y) - log10(3 + y) + cos(z)*sin(y) + atan(w) + tan(v(-1)/40);
  s = (y > -10)*w + (y >= 10)*v - 2^-1*v + -y^2;
end;
initval; y = 0; z = 0; w = 1; v = 2; s = 0; end;
steady(maxit=200);
shocks; var e; stderr 0.05; end;
stoch_simul(order=1, irf=21, nograph, noprint);
