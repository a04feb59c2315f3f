// Parameters and covariances set by lines of MATLAB in Dynare's own structures.
var y x; varexo e u; parameters r s k; r = 0.9; s = 0.3; k = 1;
model(linear); y = r*y(-1) + k*e; x = s*x(-1) + u + y; end;
Sigma_e = [1; 0.5, 4];
M_.params(1) = 0.4;
M_.params(strmatch('s', M_.param_names, 'exact')) = 0.45;
M_.params(strcmp(M_.param_names, 'k')) = 2;
M_.Sigma_e(1, 1) = 0.25;
stoch_simul(order=1, irf=21, nograph);
