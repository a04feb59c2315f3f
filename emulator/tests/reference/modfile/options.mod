// Options persist between commands, lines of MATLAB set them: loglinear and qz_criterium.
var y c; varexo e; parameters r q; r = 0.9; q = 1.01;
model; y = 2*(y(-1)/2)^r*exp(e); c/3 = (c(-1)/3)^q*exp(e); end;
initval; y = 2; c = 3; end;
steady;
shocks; var e; stderr 0.1; end;
options_.loglinear = true;
stoch_simul(order=1, irf=21, nograph, nomoments, qz_criterium=1.05);
stoch_simul(order=1, irf=21, nograph, nomoments);
