% Dynare's log-likelihood and log-prior at every row of draws.csv, whose columns are the estimated parameters of model.mod.
% riccati_tol = 0: Dynare otherwise stops updating covariances at a gain that moves by less than 1e-6.
% repeats: how often the function is called for its time, as a user has it, with Dynare's own riccati_tol.
function ask_likelihood(repeats)
  global M_ options_ oo_ estim_params_ bayestopt_
  dynare model.mod noclearall nograph nolog
  settings;  % options_.lik_init and the like
  options_.mode_compute = 0;
  options_.mh_replic = 0;
  own = options_.riccati_tol;
  [data, data_info, xparam, hh, M_, options_, oo_, estim_params_, bayestopt_, bounds] = ...
      dynare_estimation_init({}, 'model', [], M_, options_, oo_, estim_params_, bayestopt_);
  options_.riccati_tol = 0;
  header = fopen('draws.csv'); names = strsplit(strtrim(fgetl(header)), ','); fclose(header);
  draws = dlmread('draws.csv', ',', 1, 0);
  order = zeros(1, numel(bayestopt_.name));
  for k = 1:numel(order)
    order(k) = find(strcmp(names, bayestopt_.name{k}));
  end
  draws = draws(:, order);
  out = fopen('likelihood.csv', 'w');
  for d = 1:rows(draws)
    x = draws(d, :)';
    [fval, info] = dsge_likelihood(x, data, data_info, options_, M_, estim_params_, bayestopt_, bounds, oo_);
    prior = priordens(x, bayestopt_.pshape, bayestopt_.p6, bayestopt_.p7, bayestopt_.p3, bayestopt_.p4);
    fprintf(out, '%.17g,%.17g,%d\n', -fval - prior, prior, info(1));
  end
  fclose(out);
  options_.riccati_tol = own;
  began = cputime();
  for r = 1:repeats
    dsge_likelihood(draws(1 + mod(r, rows(draws)), :)', data, data_info, options_, M_, estim_params_, bayestopt_, bounds, oo_);
  end
  seconds = fopen('seconds.txt', 'w');
  fprintf(seconds, '%.17g\n', (cputime() - began) / max(repeats, 1));
  fclose(seconds);
end
