% Sizes of shocks in every form, correlated ones among them; MATLAB lines around; variables of the workspace.
close all; more off;
scale = 0.01;
horizon = 40; label = 'three equations';   % a string with a ; and a // inside
var x ${\tilde x}$ (long_name='output gap'), pi, i, r, u;
varexo e_r (long_name='demand'), e_u, e_m, e_s;
parameters sigma kappa phi rho_r rho_u sd_u;
sigma = 1.5; kappa = (1 - 0.75)*(1 - 0.99*0.75)/0.75*3;
phi = 1.5; rho_r = 0.8;
rho_u = rho_r/2;
sd_u = scale*sqrt(2);
disp(['running ' label]);
if horizon > 10
  disp('long; longer')
end
model(linear);
  x = x(+1) - (i - pi(+1) - r)/sigma;
  pi = 0.99*pi(+1) + kappa*x + u;
  i = phi*pi + 0.1*x + e_m;
  r = rho_r*r(-1) + e_r + 0.5*e_s;
  u = rho_u*u(-1) + e_u;
end;
shocks;
  var e_m; stderr scale/4;
  var e_r = scale^2;
  var e_u; stderr sd_u;
  corr e_r, e_u = -0.4;
  var e_m, e_u = 0.3*scale/4*sd_u;
  var e_s; stderr 0;
end;
stoch_simul(order=1, irf=21, nograph, noprint);
figure_name = 'out';
