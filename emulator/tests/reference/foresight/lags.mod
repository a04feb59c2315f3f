// Two lags, a lead of two periods, exogenous variables at other dates, and a past of its own.
var y p; varexo e z; parameters r; r = 0.5;
model;
  y = r*y(-1) + 0.2*y(-2) + 0.1*log(p(+2)) + e(-1);
  p = exp(0.3*y + 0.2*z(+1))*p(-1)^0.4;
end;
initval; y = 0; p = 1; end;
steady;
histval; y(0) = 0.3; y(-1) = -0.2; p(0) = 1.1; e(0) = 0.05; end;
shocks; var e; periods 1 4; values 0.1 -0.1; var z; periods 3; values 0.2; end;
simul(periods=60);
