function [info, oo_, options_, M_] = stoch_simul(M_, options_, oo_, var_list)
% Stands before Dynare's own stoch_simul, as that of the folder above, and records the rules of second and third order, too.
  [info, oo_, first_options, M_] = referee_answer(M_, options_, oo_);
  options_.logged_steady_state = first_options.logged_steady_state;
  if info(1) == 0
    orders_answer(M_, options_, oo_);
  end
end
