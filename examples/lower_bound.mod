// A New Keynesian economy whose policy rate cannot fall below zero, and a fall of the natural rate.
var y     (long_name = 'output gap, percent')
    pi    (long_name = 'inflation, annualised percentage points')
    i     (long_name = 'policy rate, annualised percentage points')
    rule  (long_name = 'rate by the rule, annualised percentage points')
    r     (long_name = 'natural rate, annualised percentage points');
varexo e_r e_m;
parameters beta kappa sigma phi_pi phi_y rho steady_rate;
beta = 0.995; kappa = 0.05; sigma = 1; phi_pi = 1.5; phi_y = 0.5; rho = 0.8; steady_rate = 3;

model(linear);
y = y(+1) - (i - pi(+1) - r)/(4*sigma);
pi = beta*pi(+1) + 4*kappa*y;
rule = phi_pi*pi + phi_y*y + e_m;
[name = 'rate', relax = 'bound'] i = rule;
[name = 'rate', bind = 'bound'] i = -steady_rate;
r = rho*r(-1) + e_r;
end;

occbin_constraints;
name 'bound'; bind rule < -steady_rate; relax rule > -steady_rate;
end;

shocks; var e_m; stderr 0.5; end;
shocks(surprise); var e_r; periods 1; values -8; end;
occbin_setup(simul_periods = 24);
occbin_solver;
