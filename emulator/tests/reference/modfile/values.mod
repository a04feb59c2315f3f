// Parameters from vectors, loops, branches and functions of MATLAB.
weights = [0.1 0.2; 0.3 0.4];
var y; varexo e; parameters r k; r = 0.1; k = round(2.6) + floor(1.2) + mod(5, 3);
model(linear); y = r*y(-1) + k*e; end;
shocks; var e; stderr 0.1; end;
total = 0;
for i = 1:2
  total = total + sum(weights(i, :));
  if total > 0.9 && k > 1
    set_param_value('r', total*weights(end, 1) + norminv(0.5));
  else
    set_param_value('r', 0);
  end
end
for size = [0.2 0.4]
  shocks; var e; stderr size; end;
  stoch_simul(order=1, irf=21, nograph);
end
