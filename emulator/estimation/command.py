"""`emulator estimate`: worlds against a target of impulse responses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from emulator.console import say
from emulator.errors import EmulatorError, ParameterError
from emulator.estimation.asking import (
    as_number,
    estimate_all,
    interval,
    make_room,
    network,
    number,
    read_pairs,
    refuse_given,
    target_named,
    target_of_data,
    without,
)
from emulator.estimation.settings import (
    FROM_DATA,
    HISTORY,
    LONGEST,
    SAMPLE,
    US_MONETARY,
    VAR_LAGS,
    Budget,
    Weighting,
)
from emulator.files import check_writable, sole_writer
from emulator.worlds import split_names

if TYPE_CHECKING:
    pass


def estimate(
    world: Annotated[
        str,
        typer.Option(
            help=(
                "Worlds, or with --exact files of your own (my.mod, mysim.py:economy), separated by"
                " commas."
            )
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            help=(
                f"{US_MONETARY} (US data), a file of responses (.csv, .npz), or with --data var,"
                " proxy or signs: a recursive VAR of the data, one identified by --instrument, or"
                " by --sign."
            )
        ),
    ] = US_MONETARY,
    data: Annotated[
        str | None,
        typer.Option(
            help=(
                "Estimate from data by their full likelihood, in place of a target, unless that is"
                " var, proxy or signs: us, or files (.csv, .xlsx, .parquet)."
            )
        ),
    ] = None,
    observe: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "data: how a series follows from observables, 'growth=diff(output) + mean'; for a"
                " VAR an observable or its difference. May be repeated."
            )
        ),
    ] = None,
    error: Annotated[
        list[str] | None,
        typer.Option(
            help="Standard deviation of a series' error of measurement, rate=0.2: of the data, or"
            " with --like-the-data of the world's. May be repeated."
        ),
    ] = None,
    transform: Annotated[
        list[str] | None,
        typer.Option(
            help="data: what is done to a series, 'gdp=log, difference'. May be repeated."
        ),
    ] = None,
    frequency: Annotated[
        str | None, typer.Option(help="data: quarter or year, averages over longer periods.")
    ] = None,
    gaps: Annotated[
        str, typer.Option(help="data: error, or missing, of periods without a row.")
    ] = "error",
    start: Annotated[
        str | None,
        typer.Option(help="data: start of the filter, stationary, diffuse or wide."),
    ] = None,
    presample: Annotated[
        int | None, typer.Option(min=0, help="data: periods at first that do not count.")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="data: what smc begins with, mode or prior.  [default: prior up to 15 parameters]",
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("estimated"),
    exact: Annotated[
        bool, typer.Option("--exact", help="Let the worlds' solvers answer, not a network.")
    ] = False,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help=(
                "The network: a name that ships, a file or the folder of a run; universal if left"
                " out. With --data a solver answers where a world has a state space, unless this"
                " is given."
            )
        ),
    ] = None,
    shock: Annotated[
        str | None,
        typer.Option(
            help=(
                "The worlds' name of the shock; monetary, or what a target's file says, if left"
                " out."
            )
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            help=(
                "Periods of the data, of which the first are the lags of a VAR; of us-monetary the"
                f" quarters that the VAR explains, {SAMPLE}."
            )
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LONGEST - 1,
            help="Last horizon that is matched; 20 for us-monetary, all of a file's if left out.",
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            help="Entries that are not matched: 'inflation:0-3', 'output:0'. May be repeated."
        ),
    ] = None,
    weighting: Annotated[
        str | None,
        typer.Option(
            help=(
                "diagonal, full (the whole covariance), or principal (of principal components);"
                " diagonal, and principal with --like-the-data, if left out."
            )
        ),
    ] = None,
    like_the_data: Annotated[
        bool,
        typer.Option(
            "--like-the-data",
            help=(
                "Match what the target's VAR finds in the world's own data, not the world's"
                " responses: right also where the VAR's identification is false in the world."
            ),
        ),
    ] = False,
    history: Annotated[
        int,
        typer.Option(
            min=1,
            help="--like-the-data: periods that are simulated where a world is not linear.",
        ),
    ] = HISTORY,
    series: Annotated[
        str,
        typer.Option(
            help=(
                "var, proxy, signs: series of the VAR in their order, separated by commas; output,"
                " inflation and rate if left out."
            )
        ),
    ] = "",
    innovation: Annotated[
        str | None,
        typer.Option(help="var, proxy, signs: the series whose shock it is; the last if left out."),
    ] = None,
    lags: Annotated[
        int, typer.Option(min=1, help="var, proxy, signs: lags of the VAR.")
    ] = VAR_LAGS,
    instrument: Annotated[
        str | None, typer.Option(help="proxy: the series of the data that is the instrument.")
    ] = None,
    sign: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "signs: a series, the sign of its response, and horizons: 'rate=+0-3',"
                " 'inflation=-0-3'. May be repeated."
            )
        ),
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option(help="A parameter held at a value: name=value. May be repeated."),
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", help="A narrower range: name=low:high. May be repeated."),
    ] = None,
    sampler: Annotated[
        str, typer.Option(help="smc (sequential Monte Carlo), or nuts.")
    ] = Budget.sampler,
    kept: Annotated[
        float,
        typer.Option(
            help=(
                "smc: share of draws that stay effective at each stage, between 0 and 1; nearer to"
                " 1 is slower and finds several modes more surely."
            )
        ),
    ] = Budget.kept,
    starts: Annotated[
        int, typer.Option(min=1, help="Searches for the point estimate.")
    ] = Budget.starts,
    chains: Annotated[int, typer.Option(min=1, help="Chains of the sampler.")] = Budget.chains,
    tune: Annotated[int, typer.Option(min=20, help="Draws of warm-up a chain.")] = Budget.tune,
    draws: Annotated[int, typer.Option(min=20, help="Draws kept a chain.")] = Budget.draws,
    rescored: Annotated[
        int, typer.Option(min=0, help="Draws that the exact solver scores; 0 for none.")
    ] = Budget.rescored,
    seed: Annotated[int, typer.Option(min=0)] = Budget.seed,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an estimate that is already in the folder.")
    ] = False,
) -> None:
    """Estimate parameters from data by their full likelihood (--data), or from impulse responses
    (--target): mode, posterior, marginal likelihood, and how much a network's error matters.
    """
    budget = Budget(
        sampler=sampler,
        kept=kept,
        starts=starts,
        chains=chains,
        tune=tune,
        draws=draws,
        rescored=rescored,
        seed=seed,
    )
    names = split_names(world)
    if not names:
        raise ParameterError("--world names no world; `emulator worlds` lists them.")
    if weighting is not None and weighting not in get_args(Weighting):
        raise ParameterError(
            f"--weighting is '{weighting}'; expected one of {', '.join(get_args(Weighting))}."
        )
    if output.is_file():
        raise EmulatorError(f"--output is '{output}', which is a file; expected a folder.")
    check_writable(output)
    from emulator.series.command import pairs

    of_a_var = {
        "--series": series,
        "--innovation": innovation,
        "--instrument": instrument,
        "--sign": sign,
    }
    if data is not None and target not in FROM_DATA:
        from emulator.estimation.full_information.asking import Typed, estimate_data

        if like_the_data:
            raise ParameterError(
                "--like-the-data is for matching responses, and --data asks for the likelihood of"
                f" the data. Name the target: --target {', '.join(FROM_DATA)}."
            )
        refuse_given(
            {
                **of_a_var,
                "--shock": shock,
                "--skip": skip,
                "--weighting": weighting,
                "--history": None if history == HISTORY else history,
            },
            "is about matching responses, and --data without a --target of"
            f" {', '.join(FROM_DATA)} asks for the likelihood of the data.",
        )
        estimate_data(
            Typed(
                data=data,
                worlds=names,
                output=output,
                exact=exact,
                checkpoint=checkpoint,
                observe=pairs(observe, "--observe"),
                errors=pairs(error, "--error"),
                transform=pairs(transform, "--transform"),
                sample=sample,
                frequency=frequency,
                gaps=gaps,
                start=start,
                presample=presample,
                horizon=horizon,
                begin=begin,
                fixed=dict(read_pairs(fix, number)),
                ranges=dict(read_pairs(range_, interval)),
                budget=budget,
                overwrite=overwrite,
            )
        )
        return
    refuse_given(
        {"--presample": presample, "--start": start, "--from": begin},
        f"is about the likelihood of data, and the target is '{target}': leave --target out, and"
        " give --data.",
    )
    if history != HISTORY and not like_the_data:
        raise ParameterError("--history is for --like-the-data, which was not asked for.")
    if target in FROM_DATA:
        matched = target_of_data(
            target,
            data,
            {
                "series": [name.strip() for name in series.split(",") if name.strip()] or None,
                "innovation": innovation,
                "lags": lags,
                "observe": pairs(observe, "--observe"),
                "instrument": instrument,
                "signs": pairs(sign, "--sign") or None,
                "shock": shock or "monetary",
                "sample": sample,
                "horizon": 20 if horizon is None else horizon,
            },
            {"transform": pairs(transform, "--transform"), "frequency": frequency, "gaps": gaps},
        )
    else:
        of_data = {"--observe": observe, "--transform": transform, "--frequency": frequency}
        refuse_given(
            {**of_a_var, **of_data},
            f"is about a VAR of data, and the target is '{target}': name the kind, --target"
            f" {', '.join(FROM_DATA)}, and the data, --data.",
        )
        matched = target_named(target, sample or SAMPLE, horizon, shock or "monetary")
    matched = without(matched, skip or [])
    from emulator.estimation.matching import MatchingProblem, Settings

    settings = Settings(
        emulator=None if exact else network(checkpoint or "universal"),
        exact=exact,
        shock=shock,
        weighting=cast("Weighting | None", weighting),
        fixed=dict(read_pairs(fix, number)),
        ranges=dict(read_pairs(range_, interval)),
        budget=budget,
        like_the_data=like_the_data,
        errors={name: as_number(name, text) for name, text in pairs(error, "--error").items()},
        history=history,
    )
    problems = [MatchingProblem.of(matched, name, settings) for name in names]
    with sole_writer(output):
        make_room(output, overwrite)
        estimate_all(problems, output)
    say(f"Results: {output}; picture: {output / 'fit.png'}")
