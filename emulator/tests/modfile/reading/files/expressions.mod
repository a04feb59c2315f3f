// Precedence, chains, numbers, functions, leads and lags, locals, tags.
var y, z, w;
varexo e;
parameters a b;
a = 0.5; b = 2;
model;
  # q = a^2 + 1d-3;
  # long = -q^2/b/a*3*(b*(a*2)) - 1 - 2 - (3 - 4) + 5;
  [name = 'first; of three', mark = 'q']
  y = -a^2*y(-1) + 2^-a^2 - -e + y(+ 2) - STEADY_STATE(y)*(z - (w - (y - 1)));
  z = min(a, q) + max(b, 2)*normcdf(w) - normcdf(w, 1, 2)/normpdf(z(-1), a, b) + ln(a) + log10(b) + sqrt(b)
      + exp(-z(-1)) + abs(a) + sign(b)*erf(w) + cbrt(b) + sin(a) + cos(a) + tan(a) + asin(a) + acos(a) + atan(a) + log(b);
  long*w - w(-3) + 1.5e-2 + .25 + 3. + (y < z) + (y >= a)*(w == 1) + (w != z) + EXPECTATION(-1)(y(+1)) + diff(z) + a(-1);
end;
