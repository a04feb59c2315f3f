// Levels with growth have no steady state: the point of approximation is given.
var lev gr z; varexo e; parameters g r; g = 1.01; r = 0.6;
model; lev/lev(-1) = gr; gr = g*exp(z); z = r*z(-1) + e; end;
steady_state_model; z = 0; gr = g; lev = 1; end;
steady(nocheck);
shocks; var e; stderr 0.1; end;
stoch_simul(order=1, irf=21, nograph);
