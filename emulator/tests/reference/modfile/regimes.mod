// Constraints of OccBin beside stoch_simul: the regime in which none binds.
var x i; varexo e; parameters r; r = 0.7;
model(linear);
[name='rule', relax='zlb'] i = 1.5*x;
[name='rule', bind='zlb'] i = -0.05;
x = r*x(-1) - 0.2*i + e;
end;
occbin_constraints; name 'zlb'; bind i < -0.05; relax 1.5*x > -0.05; end;
shocks; var e; stderr 0.1; end;
stoch_simul(order=1, irf=21, nograph);
