@#define countries = ["home", "away"]
@#define order = 2
@#define squares = [k^2 for k in 1:3 when k > 1]
@#define open = 1   // a comment
@#include "included.inc"
@#for c in countries
var y_@{c} i_@{c};
varexo e_@{c};
parameters rho_@{c};
rho_@{c} = 0.@{double(order) + 3};
@#endfor
model;
@#for c in countries
  [name = 'output of @{c}']
  y_@{c} = rho_@{c}*y_@{c}(-1) + e_@{c}
  @#for (i, j) in [(i, j) in countries * countries when i != j && i == c]
    + 0.1*y_@{j}(-@{order})
  @#endfor
  ;
  @#if open && !defined(nothing) || \\
       false
  i_@{c} = @{squares[2]}*y_@{c};
  @#elseif order == 2
  i_@{c} = y_@{c};
  @#else
  i_@{c} = 0;
  @#endif
@#endfor
end;
