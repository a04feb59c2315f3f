function [info, oo_, options_, M_] = stoch_simul(M_, options_, oo_, var_list)
% Stands before Dynare's own stoch_simul (copied beside this file as genuine_stoch_simul.m): records the first-order
% answer at every call. With REFEREE_MODE=full the call then goes on as the file asks.
  [info, first_oo, first_options, first_M] = referee_answer(M_, options_, oo_);
  if strcmp(getenv('REFEREE_MODE'), 'full')
    [info, oo_, options_, M_] = genuine_stoch_simul(M_, options_, oo_, var_list);
  else
    oo_ = first_oo;
    M_ = first_M;
    options_.logged_steady_state = first_options.logged_steady_state;
  end
end
