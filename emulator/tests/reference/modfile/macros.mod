// Countries by macro: loops, conditions, expressions.
@#define countries = ["home", "foreign"]
@#define open = 1
@#define lags = 2
@#define gap(c) = "x_" + c
var
@#for c in countries
  @{gap(c)} pi_@{c} i_@{c} a_@{c}
@#endfor
@#if open && length(countries) > 1
  q
@#else
  never
@#endif
;
varexo
@#for c in countries
  e_@{c}
@#endfor
;
parameters
@#for c in countries
  kappa_@{c} rho_@{c}
@#endfor
  nu;
@#for c in countries
kappa_@{c} = 0.1*@{length(c)};
rho_@{c} = 0.@{length(c) + 2};
@#endfor
nu = 0.2;
model(linear);
@#for c in countries
  x_@{c} = x_@{c}(+1) - (i_@{c} - pi_@{c}(+1)) + a_@{c} + @{length(c) - 5}*nu*q;
  pi_@{c} = 0.99*pi_@{c}(+1) + kappa_@{c}*x_@{c};
  i_@{c} = 1.5*pi_@{c}
  @#for k in 1:lags
    + 0.@{k}*x_@{c}(-@{k})
  @#endfor
  ;
  a_@{c} = rho_@{c}*a_@{c}(-1) + e_@{c};
@#endfor
  q = 0.9*q(-1) + 0.1*(i_home - i_foreign);
end;
shocks;
@#for c in countries
  var e_@{c}; stderr 0.01;
@#endfor
end;
stoch_simul(order=1, irf=21, nograph, noprint);
