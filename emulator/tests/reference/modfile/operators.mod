// EXPECTATION with information of before, of today and of later, and adl.
var p m x y z; varexo e; parameters a r a_x_lag_1 a_x_lag_2 b_x_lag_3; a = 0.7; r = 0.6;
a_x_lag_1 = 0.2; a_x_lag_2 = 0.1; b_x_lag_3 = -0.1;
model;
p = a*EXPECTATION(-1)(p(+1)*exp(m)) + m;
m = r*m(-1) + e;
x = adl(x, 'a_x', 2) + adl(x, 'b_x', [3]) + e;
y = adl(x, 'a_x', [1:2]) + EXPECTATION(-2)(x(+1));
z = exp(EXPECTATION(0)(x(+1))) - 1 + EXPECTATION(1)(p(+1));
end;
shocks; var e; stderr 1; end;
stoch_simul(order=1, irf=21, nograph);
