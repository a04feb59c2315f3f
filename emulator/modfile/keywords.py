"""The words with which Dynare's statements and blocks begin, and the functions of its expressions.

All are in small letters here; Dynare takes them in capitals as well.
"""

from __future__ import annotations

DECLARATIONS = frozenset({
    "var", "varexo", "varexo_det", "parameters", "predetermined_variables", "trend_var", "log_trend_var",
    "model_local_variable", "external_function", "change_type",
})  # fmt: skip

BLOCKS = frozenset({
    "model", "steady_state_model", "initval", "endval", "histval", "shocks", "mshocks", "heteroskedastic_shocks",
    "estimated_params", "estimated_params_init", "estimated_params_bounds", "estimated_params_remove", "osr_params_bounds",
    "observation_trends", "deterministic_trends", "filter_initial_state", "optim_weights", "homotopy_setup",
    "conditional_forecast_paths", "epilogue", "generate_irfs", "shock_groups", "init2shocks", "svar_identification",
    "moment_calibration", "irf_calibration", "ramsey_constraints", "occbin_constraints", "matched_moments", "matched_irfs",
    "matched_irfs_weights", "pac_target_info", "perfect_foresight_controlled_paths", "model_replace", "verbatim",
})  # fmt: skip

COMMANDS = frozenset({
    "steady", "check", "simul", "stoch_simul", "estimation", "osr", "osr_params", "varobs", "varexobs", "resid", "dsample",
    "periods", "forecast", "data", "set_time", "model_info", "model_diagnostics", "model_comparison", "model_options",
    "model_remove", "var_remove", "unit_root_vars", "rplot", "dynatype", "dynasave", "load_params_and_steady_state",
    "save_params_and_steady_state", "write_latex_definitions", "write_latex_parameter_table", "write_latex_prior_table",
    "write_latex_dynamic_model", "write_latex_static_model", "write_latex_original_model", "write_latex_steady_state_model",
    "planner_objective", "ramsey_model", "ramsey_policy", "discretionary_policy", "evaluate_planner_objective",
    "identification", "dynare_sensitivity", "sensitivity", "bvar_density", "bvar_forecast", "bvar_irf", "sbvar", "svar",
    "svar_global_identification_check", "markov_switching", "ms_estimation", "ms_simulation", "ms_compute_mdd",
    "ms_compute_probabilities", "ms_forecast", "ms_irf", "ms_variance_decomposition", "initval_file", "histval_file",
    "shock_decomposition", "realtime_shock_decomposition", "plot_shock_decomposition", "initial_condition_decomposition",
    "squeeze_shock_decomposition", "conditional_forecast", "plot_conditional_forecast", "method_of_moments",
    "gmm_estimation", "smm_estimation", "calib_smoother", "extended_path", "smoother2histval", "perfect_foresight_setup",
    "perfect_foresight_solver", "perfect_foresight_with_expectation_errors_setup",
    "perfect_foresight_with_expectation_errors_solver", "det_cond_forecast", "occbin_setup", "occbin_solver",
    "occbin_graph", "occbin_write_regimes", "var_model", "trend_component_model", "var_expectation_model", "pac_model",
    "var_estimation", "compilation_setup", "sigma_e",
})  # fmt: skip

FUNCTIONS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        ["exp", "log", "ln", "log10", "sqrt", "cbrt", "abs", "sign", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
         "asinh", "acosh", "atanh", "erf", "erfc", "steady_state", "diff"],
        (1,),
    ),
    **dict.fromkeys(["max", "min"], (2,)),
    **dict.fromkeys(["normcdf", "normpdf"], (1, 3)),
    "adl": (2, 3),
}  # fmt: skip
"""How many arguments each function of the language takes."""

NAMING_FUNCTIONS = frozenset({"adl", "var_expectation", "pac_expectation", "pac_target_nonstationary"})
"""Functions whose arguments name things other than variables."""
