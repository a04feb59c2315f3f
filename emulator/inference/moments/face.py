"""What an economy answers of its paths and their second moments: the part of `Economy` that asks
for moments, variance decompositions, simulations and the state space.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.inference.asking import Asking
from emulator.inference.draws import labels_of
from emulator.inference.labels import refuse, refuse_impossible

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.draws import DrawsLike, Names


class PathQuestions(ABC):
    """`moments`, `variance_decomposition`, `simulate`, `state_space`, `decision_rules`, of whoever
    answers.
    """

    @property
    @abstractmethod
    def asking(self) -> Asking:
        """What makes theta, positions and labels of the arguments of a call."""

    def moments(
        self,
        draws: DrawsLike = None,
        *,
        lags: int = 5,
        hp: float | None = None,
        difference: bool = False,
        observables: Names = None,
        variables: Names = None,
        cross: bool = False,
        by: Iterable[str] | bool | None = None,
        horizon: int | None = None,
        simulated: int | None = None,
        seed: int | np.random.Generator = 0,
        order: int | None = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """Theoretical second moments at each draw: `mean`, `std`, `variance`, `correlation` and
        `autocorrelation` at lags 1 to `lags`; see `emulator.inference.moments.answers`.

        hp: of the HP filter's cycle with this lambda; difference: of first differences; cross: also
        the correlations of all pairs at each lag; by: names of parameters, or True for all, adds
        the derivatives of every moment. A variable that a unit root moves is not `stationary`, is
        named in the attribute `non_stationary`, and has an infinite variance. A world without a
        state space is answered by its responses up to `horizon`, cut there, which `cut` says; one
        that is not linear by `simulated` periods of a path instead of theory. Units: those of the
        observables. Tables: `answer.tables`.

        order: of approximation, 1, 2 or 3 for `.mod` files, by default the one that the file asks
        for. Moments of second and third order are those of the pruned rules under normal shocks
        (`emulator.solvers.perturbation.moments`); the mean then is not the steady state.

        Raises `NoSolutionError` and `OutsideBoundsError` as `irf` does, `ParameterError` where
        there are no theoretical moments.
        """
        from emulator.inference.moments.questions import Question, moments

        question = Question(
            draws=draws,
            parameters=parameters,
            observables=observables,
            variables=variables,
            hp=hp,
            difference=difference,
            horizon=horizon,
            on_failure=on_failure,
            order=order,
        )
        return moments(
            self.asking,
            question,
            lags=lags,
            cross=cross,
            simulated=simulated,
            seed=seed,
            by=by,
        )

    def variance_decomposition(
        self,
        draws: DrawsLike = None,
        *,
        horizons: Sequence[float] | float | None = None,
        hp: float | None = None,
        difference: bool = False,
        observables: Names = None,
        variables: Names = None,
        horizon: int | None = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """The share of each shock in the variance of forecast errors, in percent: `share` (draw,
        ahead, observable, shock).

        horizons: periods ahead, by default 1 (the impact alone), 4, 8, 20 and infinity, the
        variance itself. Shocks that a `.mod` file correlates are taken by the lower Cholesky
        factor, in the order of their declaration. The other arguments and errors are those of
        `moments`; the output of the HP filter has no forecast errors, and infinity alone.
        """
        from emulator.inference.moments.questions import Question, variance_decomposition

        question = Question(
            draws=draws,
            parameters=parameters,
            observables=observables,
            variables=variables,
            hp=hp,
            difference=difference,
            horizon=horizon,
            on_failure=on_failure,
        )
        return variance_decomposition(self.asking, question, horizons)

    def simulate(
        self,
        draws: DrawsLike = None,
        *,
        periods: int | None = None,
        shocks: Mapping[str, Any] | np.ndarray | None = None,
        state: Mapping[str, float] | np.ndarray | None = None,
        states: bool = False,
        observables: Names = None,
        variables: Names = None,
        seed: int | np.random.Generator = 0,
        order: int | None = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.DataArray | xr.Dataset:
        """Paths (draw, period, observable), in the units of the observables. The solver answers.

        shocks: none given, they are random, independent and standard normal, the same for a seed;
        or a mapping of names to paths, {"monetary": [1, 0.5]}, or an array (T, S) or (n, T, S), in
        standard deviations, each of them a surprise. periods: by default 200, or as many as the
        given shocks have. state: before the first period, by name or as an array (D,) or (n, D), in
        the world's own units (`state_space` names them), by default the steady state. states=True
        gives a Dataset with `states` (draw, period, state) beside `simulation`, from whose last
        period a further path can start. order: of approximation, 1, 2 or 3 (pruned) for `.mod`
        files, by default the one that the file asks for; a given state is then one of first order,
        and `states` are not answered, as a pruned path has those of each order.

        Raises `NoSolutionError` as `irf` does, `ParameterError` for bad input, for an economy that
        a network answers for, and for states of a world that has no state space.
        """
        from emulator.inference.answers import simulated_states, simulation
        from emulator.inference.moments.paths import shocks_of, simulated_paths

        asking = self.asking
        theta = asking.theta(draws, parameters)
        observed = asking.observed(observables, variables)
        given = shocks_of(asking, len(theta), periods, shocks, seed)
        paths = simulated_paths(
            asking=asking,
            theta=theta,
            shocks=given,
            state=state,
            states=states,
            on_failure=on_failure,
            order=asking.order(order),
        )
        answer = simulation(
            asking.observing(observed),
            labels_of(draws, len(theta)),
            paths.source,
            paths.observables[..., observed],
        )
        return (
            answer if paths.states is None else simulated_states(answer, asking.spec, paths.states)
        )

    def decision_rules(
        self,
        draws: DrawsLike = None,
        *,
        order: int | None = None,
        observables: Names = None,
        variables: Names = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """The decision rules of a `.mod` file's variables, with named axes, and its deterministic
        and stochastic steady states; see `emulator.inference.decision_rules`.

        order: 1, 2 or 3, by default the one that the file asks for. Units: of the file, per
        standard deviation of the shocks. Raises as `irf` does, and `ParameterError` for a world
        that is not a `.mod` file.
        """
        from emulator.inference.decision_rules import decision_rules

        asking = self.asking
        return decision_rules(
            asking,
            asking.theta(draws, parameters),
            draws=draws,
            order=asking.order(order),
            observed=asking.observed(observables, variables),
            on_failure=on_failure,
        )

    def state_space(
        self,
        draws: DrawsLike = None,
        *,
        observables: Names = None,
        variables: Names = None,
        on_failure: str = "raise",
        **parameters: Any,
    ) -> xr.Dataset:
        """The linear state space `s = A s_before + B e, y = mean + C s` of each draw, with named
        axes: A (draw, state, state_before), B (draw, state, shock), C (draw, observable, state),
        mean (draw, observable).

        e are independent and standard normal: a shock of one is one standard deviation. y is in the
        units of the observables, s in the world's own. Raises `ParameterError` where there is no
        state space, as of a network and of worlds that are not linear; `NoSolutionError` as `irf`
        does.
        """
        from emulator.inference.answers import state_spaces

        asking = self.asking
        theta = asking.theta(draws, parameters)
        observed = asking.observed(observables, variables)
        refuse_impossible(asking.spec, theta, on_failure)
        space = asking.answerer.state_space(theta)
        failed = ~np.isfinite(space.A).all(axis=(1, 2))
        refuse(asking.spec, theta, failed, on_failure, lambda: asking.why({}, theta, failed, None))
        scaling = asking.scaling(None, None, 1.0)
        labels = asking.labels(scaling, draws, theta, observed)
        space = replace(space, C=space.C[:, observed])
        return state_spaces(labels, space, asking.answerer.mean(theta)[:, observed])
