"""One economy, asked: named parameters in, responses with names and units out, whoever answers.

`emulator.world("nk")` is one over a solver, `emulator.load("universal")["nk"]` one over a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import DoubtWarning, ParameterError, warn
from emulator.inference.answerer import Answerer
from emulator.inference.asking import Asking, Shocks
from emulator.inference.draws import USUAL_HORIZONS, draws_wanted, generator
from emulator.inference.fallback import (
    near_jump,
    of_the_solver_alone,
    solver_of,
    with_fallback,
    world_of,
)
from emulator.inference.file_questions import FileQuestions
from emulator.inference.higher_order import Averaging, of_first_order
from emulator.inference.higher_order import answered as of_higher_order
from emulator.inference.history.face import HistoryQuestions
from emulator.inference.labels import Answered, refuse, refuse_impossible
from emulator.inference.moments.face import PathQuestions
from emulator.inference.orders import BURN_IN, IN_WORDS
from emulator.inference.over_solver import SolverAnswerer
from emulator.inference.shock_size import SizeLike
from emulator.spec import WorldSpec
from emulator.worlds import open_world
from emulator.worlds.base import World
from emulator.worlds.source import Source

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from emulator.inference.draws import DrawsLike, Names
    from emulator.inference.fallback import Fallback
    from emulator.inference.sensitivity import Ranges
    from emulator.solvers.kalman import Start


class Economy(PathQuestions, HistoryQuestions, FileQuestions):
    """A model economy: `irf`, `jacobian`, `sensitivity`, `status`, `sample`, `log_likelihood`,
    and, from its bases, `moments`, `variance_decomposition`, `simulate`, `state_space`,
    `optimal_rule`, `occbin`, `perfect_foresight`, `smooth`, `decompose`, `forecast`,
    `counterfactual`.

    `answerer` gives the same answers as plain arrays.
    """

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer

    @classmethod
    def named(cls, name: str | Path | World, run: int | None = None) -> Economy:
        """A world by its name, by the path of a `.mod` or Python file, or itself; run: of a file
        with several solution commands the one that is answered, by default the last.

        A `.mod` file without a mapping beside it answers with its own variables. Raises
        `UnknownNameError`, `ModFileError`, `SimulatorError`, `ParameterError` for a run that is
        not there.
        """
        return cls(SolverAnswerer(open_world(name, run)))

    def __repr__(self) -> str:
        return f"Economy '{self.spec.name}' ({self.answerer.title}): {self.spec}"

    @property
    def asking(self) -> Asking:
        """What makes theta, positions and labels of the arguments of a call."""
        return Asking(self.answerer)

    @property
    def spec(self) -> WorldSpec:
        """What the world says of itself: parameters, shocks, observables, units."""
        return self.answerer.spec

    @property
    def solver(self) -> World:
        """The world itself, which takes and returns plain arrays. Raises `ParameterError` for an
        economy that a network answers for.
        """
        return self.asking.solver

    @property
    def source(self) -> Source | None:
        """The texts of the `.mod` file; None where the world is a class of Python, and of a
        network's economy.
        """
        return self.solver.source if isinstance(self.answerer, SolverAnswerer) else None

    def irf(
        self,
        draws: DrawsLike = None,
        *,
        shocks: Shocks = None,
        shock: str | None = None,
        size: SizeLike = 1.0,
        observables: Names = None,
        variables: Names = None,
        horizon: int | None = None,
        anticipated: int = 0,
        order: int | None = None,
        replic: int | None = None,
        burn_in: int = BURN_IN,
        seed: int | np.random.Generator = 0,
        fallback: Fallback = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Impulse responses as an xarray Dataset over (draw, shock, horizon, observable); see
        `emulator.inference.answers`.

        draws: a table, a mapping of names or an array (n, P), in each parameter's own unit;
        parameters: by name, numbers or one a draw; the rest is at its defaults. shocks: names, all
        by default, or a mapping of names to paths, {"monetary": [1, 1]} (see
        `emulator.inference.paths`); size: standard deviations, "25bp", "1%", "25bp on rate" (see
        `emulator.inference.shock_size`), or a mapping by shock; observables: names, all by default
        (`variables` is the same, for files whose observables are their variables);
        horizon: the last one, in the world's periods. fallback="exact" has the world's solver
        answer for draws that a network flags or takes for unsolvable (for a model of one's own give
        the path of its .mod file, or the world itself). Units: those of the observables
        (`spec.observable_units`).

        anticipated: how many periods ahead the shocks are known, in linear worlds; horizon 0 is
        then the period in which they become known. The solver answers.

        order: of approximation, 1, 2 or 3 (pruned) for `.mod` files, by default the one that the
        file asks for. Responses of second and third order are what the shock changes on the mean
        path, over the states before it and all other shocks: in closed form, or, as Dynare's
        `irf`, over `replic` simulations with shocks of `seed`, `burn_in` periods before the shock.

        Raises `NoSolutionError` for draws without a unique stable solution, as the solver or else
        the network says, and `OutsideBoundsError` for parameters outside what they can be at all;
        their responses are NaN with on_failure="nan". Raises `UnknownNameError` and
        `ParameterError` for bad input. Warns with `DoubtWarning` where a network flags a draw and
        no solver answered in its place.
        """
        from emulator.inference.answers import answer

        answered = self.answered(
            draws,
            parameters,
            shocks=shocks,
            shock=shock,
            size=size,
            observables=observables,
            variables=variables,
            horizon=horizon,
            anticipated=anticipated,
            order=order,
            replic=replic,
            burn_in=burn_in,
            seed=seed,
            fallback=fallback,
            on_failure=on_failure,
        )
        data = answer(answered)
        if "doubt" in data.attrs:
            warn(f"{self.spec.name}: {data.attrs['doubt']}", DoubtWarning)
        return data

    def answered(
        self,
        draws: DrawsLike,
        parameters: Mapping[str, Any] | None = None,
        *,
        shocks: Shocks = None,
        shock: str | None = None,
        size: SizeLike = 1.0,
        observables: Names = None,
        variables: Names = None,
        horizon: int | None = None,
        anticipated: int = 0,
        order: int | None = None,
        replic: int | None = None,
        burn_in: int = BURN_IN,
        seed: int | np.random.Generator = 0,
        fallback: Fallback = None,
        on_failure: str = "raise",
    ) -> Answered:
        """`irf` as plain arrays with their labels; raises as that does, and warns of nothing."""
        if anticipated != 0 or isinstance(anticipated, bool):
            answered = self._knowing(anticipated, order).answered(
                draws,
                parameters,
                shocks=shocks,
                shock=shock,
                size=size,
                observables=observables,
                variables=variables,
                horizon=horizon,
                on_failure=on_failure,
            )
            said = self.answerer.order_notes if order is None else ()
            return answered if self.answerer.order == 1 else of_first_order(answered, said)
        theta = self.asking.theta(draws, parameters or {})
        last = self.asking.last(horizon)
        asked = self.asking.asked(shocks, shock, size, last)
        observed = self.asking.observed(observables, variables)
        chosen = self.asking.order(order)
        averaging = Averaging.of(replic, burn_in, seed, chosen)
        if chosen > 1:
            return of_higher_order(
                self.asking,
                theta,
                asked,
                draws=draws,
                horizon=last,
                order=chosen,
                observed=observed,
                averaging=averaging,
                on_failure=on_failure,
            )
        solver = solver_of(self.answerer, fallback)
        refuse_impossible(self.spec, theta, on_failure)
        fields = with_fallback(asked, self.answerer, theta, last, solver)
        failed = ~fields.get("determinate", np.ones(len(theta), dtype=bool))
        for name in {"irf", "lower", "upper"} & set(fields):
            fields[name][failed] = np.nan
            fields[name] = fields[name][..., observed]
        refuse(
            self.spec,
            theta,
            failed,
            on_failure,
            lambda: self.asking.why(fields, theta, failed, solver),
            (solver or self.answerer).solution,
        )
        labels = self.asking.labels(asked, draws, theta, observed, chosen)
        if self.answerer.order > 1:
            labels = labels._replace(source=IN_WORDS[chosen])
        if solver is not None:
            labels = labels._replace(notes=(*labels.notes, *of_the_solver_alone(self.spec, solver)))
        near = near_jump(self.answerer, theta, fields["exact"], solver)
        if near is not None:
            fields["near_jump"] = near
            labels = labels.near_jumps(theta, near, fields["exact"], self.answerer.predicts_regime)
        return Answered(labels, theta, fields)

    def _knowing(self, ahead: int, order: int | None) -> Economy:
        """The economy with shocks that are known so many periods ahead. Raises `ParameterError`."""
        from emulator.worlds.anticipated import AnticipatedWorld

        if order not in (None, 1):
            raise ParameterError(
                f"anticipated={ahead} is about the first order; leave order={order} out. A .mod"
                " file answers emulator foresight beyond it, in Python perfect_foresight()."
            )
        return Economy(SolverAnswerer(AnticipatedWorld(self.solver, ahead)))

    def jacobian(
        self,
        draws: DrawsLike = None,
        *,
        shocks: Names = None,
        shock: str | None = None,
        size: SizeLike = 1.0,
        observables: Names = None,
        variables: Names = None,
        horizon: int | None = None,
        **parameters: Any,
    ) -> xr.DataArray:
        """Derivatives of responses by parameters, (draw, shock, horizon, observable, parameter); of
        a network by automatic differentiation, of a solver by differences.

        Units: of the response, per unit of the parameter. NaN at draws without a solution, which
        the coordinate `determinate` (draw) says; a network's further coordinates `flagged`,
        `in_range` .. are those of `irf`, whose arguments these are. Raises `UnknownNameError`,
        `ParameterError` for bad input.
        """
        from emulator.inference.answers import derivatives

        theta = self.asking.theta(draws, parameters)
        last = self.asking.last(horizon)
        scaling = self.asking.answerable(shocks, shock, size)
        observed = self.asking.observed(observables, variables)
        slopes = self.answerer.jacobian(theta, scaling, last)[..., observed, :]
        signs = self.answerer.signs(theta, scaling)
        if "determinate" in signs:
            slopes[~signs["determinate"]] = np.nan
        return derivatives(self.asking.labels(scaling, draws, theta, observed), slopes, signs)

    def sensitivity(
        self,
        n: int | None = None,
        *,
        shocks: Names = None,
        shock: str | None = None,
        size: SizeLike = 1.0,
        observables: Names = None,
        variables: Names = None,
        horizons: Sequence[int] | None = None,
        ranges: Ranges | None = None,
        seed: int = 0,
        **fixed: float,
    ) -> xr.Dataset:
        """Sobol's indices of first and total order, (parameter, shock, horizon, observable), with
        standard errors, from n (P + 2) draws; n: by default 1024 for a solver, 8192 for a network;
        horizons: by default the usual ones that the answers reach.

        Parameters vary over the prior's ranges or those of `ranges`, except the ones that `fixed`
        holds at values. Of a network's indices the attribute `without_solution` is the share of
        draws which it takes for unsolvable, at which it answers all the same, and `flagged` that
        which it doubts. Narrow the ranges where these are not small. Warns with `DoubtWarning`
        where more than a third is flagged. Raises `NoSolutionError` where draws have no
        solution (for a network: most), `ParameterError`, `UnknownNameError`.
        """
        from emulator.inference.sensitivity import SensitivityDesign, shares_doubted, sobol

        scaling = self.asking.answerable(shocks, shock, size)
        observed = self.asking.observed(observables, variables)
        if horizons is None:
            longest = self.answerer.last_horizon
            horizons = [h for h in USUAL_HORIZONS if longest is None or h <= longest]
        design = SensitivityDesign.of(
            self.asking.observing(observed), scaling, horizons, ranges, fixed
        )
        last = self.asking.last(max(design.horizons))
        doubts = shares_doubted(self.answerer, design, seed)
        indices = sobol(
            design,
            lambda theta: self.answerer.scaled(theta, scaling, last, design.horizons)[
                ..., observed
            ],
            (1024 if self.answerer.exact else 8192) if n is None else n,
            seed,
        )
        return indices.assign_attrs(source=self.answerer.title, **doubts)

    def status(self, draws: DrawsLike = None, **parameters: Any) -> np.ndarray:
        """`Status` of each draw, (n,) uint8: whether it has a unique stable solution."""
        return self.answerer.status(self.asking.theta(draws, parameters))

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> pd.DataFrame:
        """n draws from the prior that have a solution, a column a parameter, in its own unit; the
        same seed gives the same draws.

        A network's economy draws from the prior of the world that it was trained on. Raises
        `ParameterError` unless n is a whole number, 0 or more, and for a `.mod` file without a
        mapping, which has no prior.
        """
        import pandas as pd

        world = self.solver if self.answerer.exact else world_of(self.spec, "exact")
        theta = world.sample_prior(draws_wanted(n), generator(seed))
        return pd.DataFrame(theta, columns=list(self.spec.parameter_names))

    def log_likelihood(
        self,
        data: Any,
        draws: DrawsLike = None,
        *,
        observe: Mapping[str, str] | Sequence[str] | None = None,
        errors: Mapping[str, Any] | None = None,
        sample: str | None = None,
        transform: Mapping[str, str] | None = None,
        start: Start = "stationary",
        presample: int = 0,
        steady: bool = True,
        horizon: int | None = None,
        gradient: bool = False,
        by_period: bool = False,
        **parameters: Any,
    ) -> xr.Dataset:
        """Log-likelihood of data at each draw, and the log-density of the prior, as an xarray
        Dataset over (draw); see `emulator.inference.likelihood.answering`.

        data, sample, transform: "us", a file or a table, as `emulator.read_data` has it; observe,
        errors, start, presample, steady, horizon: as `Likelihood.of` in
        `emulator.inference.likelihood` has them; gradient: also derivatives by parameters;
        by_period: also each period's part. Raises as these do.
        """
        from emulator.inference.likelihood import Likelihood
        from emulator.inference.likelihood.answering import answer
        from emulator.series import read_data

        likelihood = Likelihood.of(
            self.answerer,
            read_data(data, sample=sample, transform=transform),
            observe=observe,
            errors=errors,
            start=start,
            presample=presample,
            steady=steady,
            horizon=horizon,
        )
        theta = self.asking.theta(draws, parameters)
        labels = self.asking.labels(self.asking.scaling(None, None, 1.0), draws, theta, slice(None))
        return answer(likelihood, labels, theta, gradient, by_period)
