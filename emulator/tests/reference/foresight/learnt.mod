// What learning.mod says, in the words of later versions of Dynare.
var c k; varexo a; parameters beta alpha delta; beta = 0.96; alpha = 0.33; delta = 0.1;
model;
  1/c = beta/c(+1)*(alpha*a(+1)*k^(alpha - 1) + 1 - delta);
  c + k = a*k(-1)^alpha + (1 - delta)*k(-1);
end;
initval; a = 1; k = 3.5; c = 1.1; end;
steady;
shocks; var a; periods 1:2; values 1.05; end;
shocks(learnt_in = 4); var a; periods 4:5; values 1.12; end;
endval(learnt_in = 4); a = 1.1; end;
endval(learnt_in = 8); a += -0.05; end;
perfect_foresight_with_expectation_errors_setup(periods = 40);
perfect_foresight_with_expectation_errors_solver;
