/* Everything around a model: MATLAB, blocks, commands.
   var inside; of a comment */
close all; clear x;
base = 0.5; twice = 2*base, halved = base/2   % three plain assignments
disp('not a // comment; alpha = 3'); list = [1, 2 ...
   3];
matrix = list';
var y r;
varexo e u v;
parameters alpha rho;
alpha = base; rho = 0.9;
set_param_value('rho', 0.5 + base)
[m, n] = size(list);
options_.maxit = 10;
if alpha > 0.4
  rho = 0.8;
  if rho > 1, alpha = 3; end
  x = list(end);
  stoch_simul(order = 1) y;
end
model(linear);
  y = rho*y(-1) + e;
  r = alpha*y + u + v;
end;
verbatim;
  if m > 0
    extra = 1;
  end
  inner = 2;
end;
steady_state_model;
  helper = 0*alpha;
  [y, r] = two_of_them(helper, alpha);
end;
initval;
  y = 0;
  r = 2^alpha;
end;
shocks(overwrite);
  var e; stderr 0.01*alpha;
  var u = 0.02^2;
  var e, u = 0.0001;
  corr u, v = 0.5;
  var v; periods 1:4 6; values 0.1 (0.2);
end;
estimated_params;
  alpha, beta_pdf, 0.3, 0.1;
  rho, 0.5, , , uniform_pdf, , , 0, 1;
  stderr e, 0.01, 0, 1, INV_GAMMA_PDF, 0.01, inf;
  corr e, u, 0.1;
end;
histval;
  y(0) = 1;
end;
varobs y r;
steady(solve_algo = 4, maxit = 50);
check;
stoch_simul(order = 1, irf = 20, graph_format = (eps, fig), nograph) y, r;
