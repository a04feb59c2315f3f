"""Tests by measured processor time: files that begin first, and tests that are not fast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

LONGEST = (
    "test_readme.py",
    "test_any_observables.py",
    "worlds/test_hank2.py",
    "worlds/test_hank.py",
    "worlds/test_hank_draws.py",
    "training/test_modes.py",
    "data/test_storage.py",
    "inference/test_export.py",
    "estimation/test_worlds.py",
    "training/test_contract.py",
    "training/test_resume.py",
    "docs/test_pages.py",
    "data/test_cluster.py",
    "modfile/test_budget.py",
    "estimation/test_command.py",
    "eval/test_report.py",
    "choice/test_choosing.py",
)
"""Files with tests of 5 s and more, the longest first."""

LONGER = (
    "data/test_layout.py::test_xarray_opens_named_axes_and_shapes_without_warnings",
    "data/test_import_arrays.py::test_draws_of_any_shape_come_back_as_they_were_given",
    "data/test_simulators.py::test_refused_draws_are_counted_with_their_reason",
    "data/test_splits.py::test_a_worlds_defaults_are_held_out_of_nothing",
    "data/test_storage.py::test_a_url_holds_the_same_bytes_as_a_folder",
    "data/test_storage.py::test_a_url_is_resumed_mended_and_left_alone_like_a_folder",
    "data/test_validate.py::test_a_nan_written_through_zarr_is_found_with_its_row",
    "data/test_validate.py::test_a_whole_data_set_gives_no_findings",
    "data/test_validate.py::test_validation_changes_nothing",
    "data/test_verdicts.py::test_none_may_be_asked_for",
    "estimation/test_command.py::test_bad_requests_end_in_a_message",
    "estimation/test_observables.py::test_what_the_network_does_not_observe_is_asked_of_the_solver",
    "estimation/test_target.py::test_a_var_of_known_coefficients_gives_its_own_responses",
    "estimation/test_target.py::test_bootstrap_errors_are_near_those_of_statsmodels_simulation",
    "explorer/test_connections.py::test_a_request_that_arrives_drop_by_drop_is_closed",
    "explorer/test_connections.py::test_a_silent_connection_is_closed",
    "explorer/test_fit.py::test_a_fitted_result_starts_at_its_estimate_over_the_data",
    "explorer/test_uploads.py::test_a_process_that_takes_too_long_or_too_much_is_ended",
    "inference/test_closing.py::test_the_exact_economy_answers_where_a_calibrated_network_doubts_its_part",
    "inference/test_exact.py::test_figures_show_lines_bands_and_many_draws",
    "inference/test_faces.py::test_a_long_caption_stays_within_its_figure",
    "inference/test_faces.py::test_a_mean_over_draws_is_drawn_and_tabulated",
    "inference/test_faces.py::test_answers_are_drawn_together_where_both_have_the_observable",
    "inference/test_network.py::test_derivatives_agree_with_those_of_the_solver",
    "inference/test_network.py::test_where_the_network_sees_no_solution_there_are_no_derivatives",
    "inference/test_observables.py::test_a_network_of_worlds_that_observe_different_things_answers_all_questions",
    "inference/test_observables.py::test_an_exported_network_names_any_observables",
    "inference/test_observables.py::test_every_question_takes_any_number_of_observables",
    "inference/test_observables.py::test_figures_are_legible_with_any_number_of_observables",
    "inference/test_paths_and_bounds.py::test_a_network_never_answers_with_numbers_that_are_not_finite",
    "modfile/compiling/test_cache.py::test_comments_share_an_entry_and_equations_do_not",
    "modfile/compiling/test_foresight.py::test_dynares_path_from_a_past_far_away",
    "modfile/compiling/test_runs.py::test_a_planner_who_does_not_discount_is_refused",
    "modfile/compiling/test_runs.py::test_a_run_that_is_not_there_is_refused_with_the_list",
    "modfile/compiling/test_runs.py::test_a_shock_of_size_zero_is_switched_on_by_a_mapping",
    "modfile/test_against_dynare.py::test_responses_are_those_of_dynare",
    "modfile/test_hostile.py::test_an_expression_is_never_run",
    "modfile/test_hostile.py::test_one_message_with_the_line",
    "models/test_checkpoint.py::test_loading_needs_nothing_else",
    "models/test_declared.py::test_derivatives_of_an_economy_over_a_network_keep_to_what_is_declared",
    "models/test_models.py::test_the_suite_finds_broken_networks",
    "models/test_observables.py::test_a_band_is_as_wide_as_the_world_has_observables",
    "models/test_shipped.py::test_trust_travels_with_the_weights",
    "models/test_soundness.py::test_entries_that_hold_themselves",
    "models/test_soundness.py::test_options_that_ask_for_another_network",
    "models/test_soundness.py::test_the_universal_network_with_absurd_options",
    "models/test_soundness.py::test_trust_of_absurd_sizes",
    "models/test_universal.py::test_a_structural_var_is_found_from_its_responses_alone",
    "test_cli.py::test_a_mistake_ends_in_one_clear_line_and_code_one",
    "test_cli.py::test_generate_tells_the_size_of_each_split_and_what_was_refused",
    "test_cli.py::test_irf_shows_all_shocks_of_every_world",
    "test_cli.py::test_validate_lists_what_is_wrong_and_ends_with_code_one",
    "test_light_doors.py::test_a_network_needs_no_generator_no_figures_and_no_statistics",
    "test_light_doors.py::test_a_solver_in_python_needs_no_torch_no_generator_and_no_figures",
    "training/test_config.py::test_absurd_files_end_in_a_message",
    "training/test_folder.py::test_a_run_without_a_cosine_goes_on_for_more_epochs",
    "training/test_soap.py::test_it_beats_adam_where_the_valley_lies_across_the_axes",
    "worlds/test_check.py::test_every_world_passes",
    "worlds/test_rbc.py::test_purchases_raise_output_more_where_labour_supply_is_more_elastic",
    "worlds/test_refused_draws.py::test_parameters_at_any_scale_end_no_batch_and_give_no_infinite_answer",
)
"""Tests that took 0.4 s and more, or 0.8 s with all their parameters; `-m fast` leaves them out,
whatever the mark of their file.
"""


def fast_alone(expression: str) -> str:
    """What `-m` selects, where `fast` means neither more nor less than quick tests."""
    return re.sub(r"\bfast\b", "(fast and not longer)", expression)


def in_shares(names: Sequence[str], workers: int) -> list[int]:
    """The order of tests, by the names of their files: as many equal shares as workers, each with
    its part of the longest files first.
    """
    long = {name: [k for k, of in enumerate(names) if of == name] for name in LONGEST}
    others = iter([k for k, name in enumerate(names) if name not in long])
    order: list[int] = []
    for worker in range(workers):
        for name in LONGEST[worker::workers]:
            order += long[name]
        order += islice(others, max(0, len(names) * (worker + 1) // workers - len(order)))
    return [*order, *others]
