function recursive = dynare_estimation(varargin)
% Estimation is not run: the question is what the model says at its calibration.
  recursive = [];
end
