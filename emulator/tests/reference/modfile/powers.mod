// Powers with a parameter as exponent at a base of zero.
var x y h w; varexo e; parameters r p q one; r = 0.5; p = 2; q = 3; one = 1;
model;
x = r*x(-1) + e;
y = x^p + x^one;
h = 1 + y - 3*(y - y(-1))^p + (x - x(-1))^q;
w = x(+1)^one - 2*(x^2)^one;
end;
steady_state_model; x = 0; y = 0; h = 1; w = 0; end;
shocks; var e; stderr 0.1; end;
stoch_simul(order=1, irf=21, nograph);
