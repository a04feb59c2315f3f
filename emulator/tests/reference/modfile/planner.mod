// A planner's problem whose Newton steps from initval end at negative consumption.
var infl cons hrs gross tfp;
varexo shk;
parameters disc frisch cost elas rhoz; disc = 0.99; frisch = 3; cost = 17; elas = 8; rhoz = 0.95;
model;
tfp = rhoz*tfp(-1) + shk;
1/cons = disc*gross/(infl(+1)*cons(+1));
cost*infl*(infl-1) = disc*cost*cons/cons(+1)*infl(+1)*(infl(+1)-1)
    + elas*exp(tfp)*hrs*(cons*hrs^frisch/exp(tfp) - (elas-1)/elas);
exp(tfp)*hrs = cons + cost/2*(infl-1)^2;
end;
initval; infl = 1; cons = 0.9; hrs = 0.9; gross = 1.01; end;
shocks; var shk; stderr 0.01; end;
planner_objective log(cons) - hrs^(1+frisch)/(1+frisch);
ramsey_model(planner_discount=0.99, instruments=(infl));
stoch_simul(order=1, irf=21, nograph);
