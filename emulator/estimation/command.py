"""`emulator estimate`: worlds against data, or against a target of impulse responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.console import say
from emulator.errors import ParameterError
from emulator.estimation.asking import (
    as_number,
    estimate_all,
    make_room,
    network,
    refuse_given,
    target_named,
    target_of_data,
    without,
)
from emulator.estimation.options import (
    Answering,
    Known,
    Matching,
    OfData,
    OfVar,
    Overwrite,
    Request,
    Sampling,
    TargetName,
    Worlds,
)
from emulator.estimation.settings import FROM_DATA, HISTORY, SAMPLE, US_MONETARY
from emulator.files import sole_writer
from emulator.grouping import grouped
from emulator.worlds import split_names

if TYPE_CHECKING:
    from emulator.estimation.target import Target


@grouped
def estimate(
    world: Worlds,
    target: TargetName = US_MONETARY,
    *,
    of_data: OfData,
    answering: Answering,
    matching: Matching,
    of_var: OfVar,
    known: Known,
    sampling: Sampling,
    overwrite: Overwrite = False,
) -> None:
    """Estimate parameters from data by their full likelihood (--data), or from impulse responses
    (--target): mode, posterior, marginal likelihood, and how much a network's error matters.
    """
    budget = sampling.budget
    names = split_names(world)
    if not names:
        raise ParameterError("--world names no world; `emulator worlds` lists them.")
    matching.check()
    answering.check()
    request = Request(
        worlds=names,
        of_data=of_data,
        answering=answering,
        matching=matching,
        of_var=of_var,
        known=known,
        budget=budget,
        overwrite=overwrite,
    )
    if of_data.data is not None and target not in FROM_DATA:
        _from_data(request)
    else:
        _from_responses(request, target)


def _from_data(request: Request) -> None:
    """By the likelihood of data. Raises `ParameterError` for options that are about responses."""
    from emulator.estimation.full_information.asking import estimate_data

    if request.matching.like_the_data:
        raise ParameterError(
            "--like-the-data is for matching responses, and --data asks for the likelihood of"
            f" the data. Name the target: --target {', '.join(FROM_DATA)}."
        )
    refuse_given(
        {**request.of_var.typed, **request.matching.typed},
        "is about matching responses, and --data without a --target of"
        f" {', '.join(FROM_DATA)} asks for the likelihood of the data.",
    )
    estimate_data(request)


def _from_responses(request: Request, target: str) -> None:
    """Against a target of responses. Raises `ParameterError` for options that it has no use for."""
    matching, output = request.matching, request.answering.output
    request.of_data.refuse_likelihood(target)
    if matching.history != HISTORY and not matching.like_the_data:
        raise ParameterError("--history is for --like-the-data, which was not asked for.")
    matched = without(_target(request, target), matching.skip or [])
    from emulator.estimation.matching import MatchingProblem, Settings

    exact = request.answering.exact
    errors = request.of_data.errors
    settings = Settings(
        emulator=None if exact else network(request.answering.checkpoint or "universal"),
        exact=exact,
        shock=matching.shock,
        weighting=matching.weighting_of(len(request.worlds)),
        fixed=request.known.fixed,
        ranges=request.known.ranges,
        budget=request.budget,
        like_the_data=matching.like_the_data,
        errors={name: as_number(name, text) for name, text in errors.items()},
        history=matching.history,
    )
    problems = [MatchingProblem.of(matched, name, settings) for name in request.worlds]
    with sole_writer(output):
        make_room(output, request.overwrite)
        estimate_all(problems, output)
    say(f"Results: {output}; picture: {output / 'fit.png'}")


def _target(request: Request, name: str) -> Target:
    """The responses that are matched, all of them."""
    of_data, matching = request.of_data, request.matching
    shock = matching.shock or "monetary"
    if name not in FROM_DATA:
        about_data = {
            "--observe": of_data.observe,
            "--transform": of_data.transform,
            "--frequency": of_data.frequency,
        }
        refuse_given(
            {**request.of_var.typed, **about_data},
            f"is about a VAR of data, and the target is '{name}': name the kind, --target"
            f" {', '.join(FROM_DATA)}, and the data, --data.",
        )
        return target_named(name, matching.sample or SAMPLE, matching.horizon, shock)
    asked = request.of_var.asked | {
        "observe": of_data.observed,
        "shock": shock,
        "sample": matching.sample,
        "horizon": 20 if matching.horizon is None else matching.horizon,
    }
    return target_of_data(name, of_data.data, asked, of_data.reading)
