// Taxes on capital that fall for good, announced, with an adjustment cost that looks two periods back and a shock with a lag and a lead
var c k y i lambda;
varexo tau a g;
parameters beta delta alpha gamma phi;
beta = 0.97; delta = 0.06; alpha = 0.35; gamma = 2; phi = 1.5;
model;
  lambda = c^(-gamma);
  y = exp(a)*k(-1)^alpha;
  y = c + i + g(-1)*0.3 + g*0.7;
  k = (1 - delta)*k(-1) + i - phi/2*(k/k(-2) - 1)^2*k(-2);
  lambda*(1 + phi*(k/k(-2) - 1)) = beta*lambda(+1)*(1 - delta + (1 - tau(+1))*alpha*y(+1)/k)
     + beta^2*lambda(+2)*phi/2*((k(+2)/k)^2 - 1);
end;
initval;
  tau = 0.3; g = 0.1; k = 2; c = 0.9; y = 1.2; i = 0.1; lambda = 1;
end;
steady;
endval;
  tau = 0.15; g = 0.12; k = 2.5; c = 1; y = 1.3; i = 0.15; lambda = 1;
end;
steady;
shocks;
  var tau; periods 1:4 5; values 0.3 0.2;
  var a; periods 2:3 7; values 0.05 -0.04;
end;
perfect_foresight_setup(periods = 60);
perfect_foresight_solver(linear_approximation);
