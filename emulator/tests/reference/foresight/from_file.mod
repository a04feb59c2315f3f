// Past, end and exogenous variables from a file of series; two lags, a lead of two periods.
var y p; varexo e z; parameters r; r = 0.5;
model;
  y = r*y(-1) + 0.2*y(-2) + 0.1*log(p(+2)) + e(-1);
  p = exp(0.3*y + 0.2*z(+1))*p(-1)^0.4;
end;
initval; y = 0; p = 1; end;
steady;
initval_file(datafile = 'from_file_data.m', first_obs = 2);
shocks; var e; periods 3; values 0.3; end;
perfect_foresight_setup(periods = 20);
perfect_foresight_solver;
