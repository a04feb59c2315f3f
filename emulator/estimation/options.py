"""The options of `emulator estimate`, in groups, and what each asks for.

Defaults come from `emulator.estimation.settings`, so that nothing heavy is imported.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer

from emulator.errors import EmulatorError, ParameterError
from emulator.estimation.asking import (
    interval,
    number,
    read_pairs,
    refuse_given,
)
from emulator.estimation.settings import (
    HISTORY,
    LONGEST,
    SAMPLE,
    US_MONETARY,
    VAR_LAGS,
    Budget,
    Weighting,
)
from emulator.files import check_writable
from emulator.series.command import pairs

Worlds = Annotated[
    str,
    typer.Option(
        help=(
            "Worlds, or with --exact files of your own (my.mod, mysim.py:economy), separated by"
            " commas."
        )
    ),
]
TargetName = Annotated[
    str,
    typer.Option(
        help=(
            f"{US_MONETARY} (US data), a file of responses (.csv, .npz), or with --data var,"
            " proxy or signs: a recursive VAR of the data, one identified by --instrument, or"
            " by --sign."
        )
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an estimate that is already in the folder.")
]


@dataclass(frozen=True)
class OfData:
    """How data are read and observed, for a likelihood or a VAR, and how a likelihood begins."""

    data: Annotated[
        str | None,
        typer.Option(
            help=(
                "Estimate from data by their full likelihood, in place of a target, unless that is"
                " var, proxy or signs: us, or files (.csv, .xlsx, .parquet)."
            )
        ),
    ] = None
    observe: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "data: how a series follows from observables, 'growth=diff(output) + mean'; for a"
                " VAR an observable or its difference. May be repeated."
            )
        ),
    ] = None
    error: Annotated[
        list[str] | None,
        typer.Option(
            help="Standard deviation of a series' error of measurement, rate=0.2: of the data, or"
            " with --like-the-data of the world's. May be repeated."
        ),
    ] = None
    transform: Annotated[
        list[str] | None,
        typer.Option(
            help="data: what is done to a series, 'gdp=log, difference'. May be repeated."
        ),
    ] = None
    frequency: Annotated[
        str | None, typer.Option(help="data: quarter or year, averages over longer periods.")
    ] = None
    gaps: Annotated[
        str, typer.Option(help="data: error, or missing, of periods without a row.")
    ] = "error"
    start: Annotated[
        str | None,
        typer.Option(help="data: start of the filter, stationary, diffuse or wide."),
    ] = None
    presample: Annotated[
        int | None, typer.Option(min=0, help="data: periods at first that do not count.")
    ] = None
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="data: what smc begins with, mode or prior.  [default: prior up to 25 parameters]",
        ),
    ] = None

    @property
    def reading(self) -> dict[str, Any]:
        """How `read_data` reads them."""
        return {
            "transform": pairs(self.transform, "--transform"),
            "frequency": self.frequency,
            "gaps": self.gaps,
        }

    @property
    def observed(self) -> dict[str, str]:
        """Observation equations by series."""
        return pairs(self.observe, "--observe")

    @property
    def errors(self) -> dict[str, str]:
        """Errors of measurement by series, as typed."""
        return pairs(self.error, "--error")

    def refuse_likelihood(self, target: str) -> None:
        """Raise `ParameterError` for what a target of responses has no use for."""
        refuse_given(
            {"--presample": self.presample, "--start": self.start, "--from": self.begin},
            f"is about the likelihood of data, and the target is '{target}': leave --target out,"
            " and give --data.",
        )


@dataclass(frozen=True)
class Answering:
    """Where results go, and who answers."""

    output: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("estimated")
    exact: Annotated[
        bool, typer.Option("--exact", help="Let the worlds' solvers answer, not a network.")
    ] = False
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help=(
                "The network: a name that ships, a file or the folder of a run; universal if left"
                " out. With --data a solver answers where a world has a state space, unless this"
                " is given."
            )
        ),
    ] = None

    def check(self) -> None:
        """Raise `EmulatorError` where results cannot be written."""
        if self.output.is_file():
            raise EmulatorError(f"--output is '{self.output}', which is a file; expected a folder.")
        check_writable(self.output)


@dataclass(frozen=True)
class Matching:
    """Which responses are matched, and how."""

    shock: Annotated[
        str | None,
        typer.Option(
            help=(
                "The worlds' name of the shock; monetary, or what a target's file says, if left"
                " out."
            )
        ),
    ] = None
    sample: Annotated[
        str | None,
        typer.Option(
            help=(
                "Periods of the data, of which the first are the lags of a VAR; of us-monetary the"
                f" quarters that the VAR explains, {SAMPLE}."
            )
        ),
    ] = None
    horizon: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LONGEST - 1,
            help="Last horizon that is matched; 20 for us-monetary, all of a file's if left out.",
        ),
    ] = None
    skip: Annotated[
        list[str] | None,
        typer.Option(
            help="Entries that are not matched: 'inflation:0-3', 'output:0'. May be repeated."
        ),
    ] = None
    weighting: Annotated[
        str | None,
        typer.Option(
            help=(
                "diagonal, full (the whole covariance), principal (of principal components), or"
                " pooled (these, in two steps; --like-the-data). If left out diagonal; with"
                " --like-the-data pooled if the VAR is recursive and there is one world, else"
                " principal."
            )
        ),
    ] = None
    like_the_data: Annotated[
        bool,
        typer.Option(
            "--like-the-data",
            help=(
                "Match what the target's VAR finds in the world's own data, not the world's"
                " responses: right also where the VAR's identification is false in the world."
            ),
        ),
    ] = False
    history: Annotated[
        int,
        typer.Option(
            min=1,
            help="--like-the-data: periods that are simulated where a world is not linear.",
        ),
    ] = HISTORY

    def check(self) -> None:
        """Raise `ParameterError` for an unknown weighting."""
        if self.weighting is not None and self.weighting not in get_args(Weighting):
            expected = ", ".join(get_args(Weighting))
            raise ParameterError(f"--weighting is '{self.weighting}'; expected one of {expected}.")

    def weighting_of(self, worlds: int) -> Weighting | None:
        """The weighting of so many worlds; None where it follows from the target. Raises
        `ParameterError` for weights that several worlds do not share.
        """
        if worlds > 1 and self.weighting == "pooled":
            raise ParameterError(
                "--weighting pooled takes weights from each world's own histories, so that worlds"
                " could not be compared. Name one world, or --weighting principal."
            )
        if worlds > 1 and self.weighting is None and self.like_the_data:
            return "principal"
        return cast("Weighting | None", self.weighting)

    @property
    def typed(self) -> dict[str, Any]:
        """Options that are about matching alone, as typed; None where left out."""
        return {
            "--shock": self.shock,
            "--skip": self.skip,
            "--weighting": self.weighting,
            "--history": None if self.history == HISTORY else self.history,
        }


@dataclass(frozen=True)
class OfVar:
    """The VAR of data whose responses are matched."""

    series: Annotated[
        str,
        typer.Option(
            help=(
                "var, proxy, signs: series of the VAR in their order, separated by commas; output,"
                " inflation and rate if left out."
            )
        ),
    ] = ""
    innovation: Annotated[
        str | None,
        typer.Option(help="var, proxy, signs: the series whose shock it is; the last if left out."),
    ] = None
    lags: Annotated[int, typer.Option(min=1, help="var, proxy, signs: lags of the VAR.")] = VAR_LAGS
    instrument: Annotated[
        str | None, typer.Option(help="proxy: the series of the data that is the instrument.")
    ] = None
    sign: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "signs: a series, the sign of its response, and horizons: 'rate=+0-3',"
                " 'inflation=-0-3'. May be repeated."
            )
        ),
    ] = None

    @property
    def typed(self) -> dict[str, Any]:
        """Options that are about a VAR alone, as typed."""
        return {
            "--series": self.series,
            "--innovation": self.innovation,
            "--instrument": self.instrument,
            "--sign": self.sign,
        }

    @property
    def asked(self) -> dict[str, Any]:
        """As `target_from_data` takes them."""
        return {
            "series": [name.strip() for name in self.series.split(",") if name.strip()] or None,
            "innovation": self.innovation,
            "lags": self.lags,
            "instrument": self.instrument,
            "signs": pairs(self.sign, "--sign") or None,
        }


@dataclass(frozen=True)
class Known:
    """What is known beforehand."""

    fix: Annotated[
        list[str] | None,
        typer.Option(help="A parameter held at a value: name=value. May be repeated."),
    ] = None
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", help="A narrower range: name=low:high. May be repeated."),
    ] = None

    @property
    def fixed(self) -> dict[str, float]:
        return dict(read_pairs(self.fix, number))

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        return dict(read_pairs(self.range_, interval))


@dataclass(frozen=True)
class Sampling:
    """How much is spent."""

    sampler: Annotated[str, typer.Option(help="smc (sequential Monte Carlo), or nuts.")] = (
        Budget.sampler
    )
    kept: Annotated[
        float,
        typer.Option(
            help=(
                "smc: share of draws that stay effective at each stage, between 0 and 1; nearer to"
                " 1 is slower and finds several modes more surely."
            )
        ),
    ] = Budget.kept
    starts: Annotated[int, typer.Option(min=1, help="Searches for the point estimate.")] = (
        Budget.starts
    )
    chains: Annotated[int, typer.Option(min=1, help="Chains of the sampler.")] = Budget.chains
    tune: Annotated[int, typer.Option(min=20, help="Draws of warm-up a chain.")] = Budget.tune
    draws: Annotated[int, typer.Option(min=20, help="Draws kept a chain.")] = Budget.draws
    rescored: Annotated[
        int, typer.Option(min=0, help="Draws that the exact solver scores; 0 for none.")
    ] = Budget.rescored
    seed: Annotated[int, typer.Option(min=0)] = Budget.seed

    @property
    def budget(self) -> Budget:
        """Raises `ParameterError` for a value that cannot be used."""
        return Budget(**asdict(self))


@dataclass(frozen=True)
class Request:
    """All that was typed, but the kind of target."""

    worlds: list[str]
    of_data: OfData
    answering: Answering
    matching: Matching
    of_var: OfVar
    known: Known
    budget: Budget
    overwrite: bool
