// A lower bound by complementarity.
var r pi x; varexo d; parameters b k; b = 0.99; k = 0.2;
model;
  [mcp = 'r > -0.5'] r = 1.5*pi;
  pi = b*pi(+1) + k*x;
  x = x(+1) - (r - pi(+1)) + d;
end;
initval; r = 0; pi = 0; x = 0; d = 0; end;
steady;
shocks; var d; periods 1:6; values -1; end;
perfect_foresight_setup(periods=40);
perfect_foresight_solver(lmmcp);
