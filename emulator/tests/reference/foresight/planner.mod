// A planner who commits, and whose instrument has a lower bound.
var i y pi; varexo d u; parameters w low; w = 0.25; low = -0.5;
model;
  y = 0.6*y(-1) + 0.3*y(+1) - 0.2*(i - pi(+1)) + d;
  pi = 0.6*pi(+1) + 0.3*pi(-1) + 0.1*y + u;
end;
planner_objective pi^2 + w*y^2;
ramsey_model(planner_discount = 0.99);
steady;
ramsey_constraints; i > low; end;
shocks; var d; periods 1:4; values -0.6; var u; periods 2; values -0.3; end;
perfect_foresight_setup(periods=40);
perfect_foresight_solver(lmmcp);
