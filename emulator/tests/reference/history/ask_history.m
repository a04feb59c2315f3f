% Dynare's smoothed shocks and variables, decomposition, forecast and conditional forecast of
% model.mod, into CSV files. randn.m shadows randn, so that a forecast's mean is that without noise.
function ask_history(watched, controlled)
  global M_ options_ oo_ estim_params_ bayestopt_ dataset_ dataset_info
  dynare model.mod noclearall nograph nolog
  names = cellstr(char(M_.endo_names)); shocks = cellstr(char(M_.exo_names));
  write_fields('shocks.csv', oo_.SmoothedShocks, shocks);
  write_fields('variables.csv', oo_.SmoothedVariables, watched);
  write_fields('forecast.csv', oo_.forecast.Mean, watched);
  d = oo_.shock_decomposition;  % variable, shock .. initial value, sum; period
  for k = 1:numel(watched)
    parts = squeeze(d(strcmp(names, watched{k}), 1:end - 1, :))';
    dlmwrite(['decomposition_' watched{k} '.csv'], parts, 'precision', '%.17g');
  end
  if numel(controlled) > 0
    write_fields('conditional.csv', oo_.conditional_forecast.cond.Mean, watched);
  end
end

function write_fields(file, values, names)
  columns = [];
  kept = {};
  for k = 1:numel(names)
    if isfield(values, names{k})
      columns = [columns, values.(names{k})(:)];
      kept{end + 1} = names{k};
    end
  end
  out = fopen(file, 'w'); fprintf(out, '%s\n', strjoin(kept, ',')); fclose(out);
  dlmwrite(file, columns, '-append', 'precision', '%.17g');
end
