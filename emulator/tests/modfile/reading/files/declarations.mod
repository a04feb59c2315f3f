// Declarations in every form: names in TeX, long names, commas, blanks, several statements, capitals.
var y ${y_t}$ (long_name = 'output; of goods', country = 'here'), c $c$
    k (long_name = 'capital % of output')
    ;
VAR pie;
varexo e_a $\varepsilon^a$ e_b, e_c;
varexo_det tau;
parameters alpha $\alpha$ beta, rho (long_name = 'a slope // of one');
parameters sigma_a;
predetermined_variables k;
external_function(name = my_function, nargs = 2);
var late;
change_type(parameters) late;
alpha = 0.3; beta = 0.99; rho = 0.9; late = 1;
sigma_a = 0.01;
model;
  y = alpha*k + e_a + late;
  c = beta*c(+1) - rho*y + e_b + tau;
  k(+1) = (1 - alpha)*k + c;
  pie = my_function(pie(-1), 2) + e_c;
end;
