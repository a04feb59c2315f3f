// Solved twice: what counts is what holds at the last stoch_simul. Shock sizes keep the value they had where they were set.
var y pi i;
varexo e v;
parameters kappa phi sd;
kappa = 0.1; phi = 1.5; sd = 0.01;
model;
  y = y(+1) - (i - pi(+1)) + e;
  pi = 0.99*pi(+1) + kappa*y;
  i = 0.5*i(-1) + 0.5*phi*pi + v;
end;
steady_state_model; y = 0; pi = 0; i = 0; end;
shocks; var e; stderr sd; end;
stoch_simul(order=1, irf=21, nograph, noprint);
phi = 2.5;
sd = 7;
set_param_value('kappa', 0.3);
shocks; var v; stderr 0.5*phi; end;
stoch_simul(order=1, irf=21, nograph, noprint);
phi = 0.1;
