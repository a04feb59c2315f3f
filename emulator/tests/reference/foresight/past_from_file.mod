// The same model with a past from a file.
var y p; varexo e z; parameters r; r = 0.5;
model;
  y = r*y(-1) + 0.2*y(-2) + 0.1*log(p(+2)) + e(-1);
  p = exp(0.3*y + 0.2*z(+1))*p(-1)^0.4;
end;
initval; y = 0; p = 1; end;
steady;
histval_file(datafile = 'past.csv');
shocks; var e; periods 1 4; values 0.1 -0.1; var z; periods 3; values 0.2; end;
perfect_foresight_setup(periods = 60);
perfect_foresight_solver;
