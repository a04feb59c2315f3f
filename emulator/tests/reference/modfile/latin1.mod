// A file in Latin-1, lines ending as on Windows.
// Équilibre général, § 3.
var y (long_name='activity') pi; // activité
varexo e;
parameters rho; rho = 0.8; % persistance à choisir
model(linear);
  [name='activity'] y = rho*y(-1) + e;
  pi = 0.5*pi(+1) + y; /* prévision */
end;
shocks; var e; stderr 1; end;
stoch_simul(order=1, irf=21, nograph, noprint);
