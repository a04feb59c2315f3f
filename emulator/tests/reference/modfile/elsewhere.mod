// Parameters and initial values from a file beside the model.
var y; varexo e; parameters r;
model; log(y) = r*log(y(-1)) + e; end;
load_params_and_steady_state('elsewhere.txt');
steady;
shocks; var e; stderr 0.1; end;
stoch_simul(order=1, irf=21, nograph);
