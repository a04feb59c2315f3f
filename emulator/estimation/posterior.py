"""The posterior by NUTS (Hoffman and Gelman 2014, JMLR 15), and whether its chains are to be
believed.

The sampler is nutpie, which takes gradients of any Python function: docs/decisions/004-sampler.md.
Results are ArviZ InferenceData. Axes: n draw, P parameter, F free parameter.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import ks_2samp

from emulator.console import progress
from emulator.errors import MissingExtraError
from emulator.estimation.density import Density
from emulator.estimation.trouble import EstimationError

R_HAT = 1.01
ESS_PER_CHAIN = 100
"""Bounds of Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021, doi:10.1214/20-BA1221)."""

MISSED = 0.2
"""Largest difference between the distribution functions of chains and scout, for one parameter,
that is put down to chance.
"""


@dataclass(frozen=True)
class Diagnostics:
    """The largest rank-normalised split R-hat (NaN for a single chain), the smallest effective
    sample sizes of bulk and tails, divergent transitions; over all free parameters.
    """

    r_hat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    chains: int
    draws: int

    @property
    def complaints(self) -> list[str]:
        """What speaks against the chains, in words; empty where nothing does."""
        least, found = ESS_PER_CHAIN * self.chains, []
        if self.chains < 2:
            found.append(
                "a single chain has no R-hat, and nothing to hold it against; take two chains or"
                " more"
            )
        elif not self.r_hat <= R_HAT:
            found.append(
                f"chains disagree: R-hat is {self.r_hat:.3f}, expected at most {R_HAT}; take more"
                " draws, or with the sampler smc a slower rise (kept=0.95)"
            )
        for name, size in (("bulk", self.ess_bulk), ("tail", self.ess_tail)):
            if not size >= least:
                found.append(
                    f"effective sample size ({name}) is {size:.0f}, expected at least {least}; take"
                    " more draws"
                )
        if self.divergences:
            found.append(
                f"{self.divergences} of {self.chains * self.draws} transitions diverged; part of"
                " the posterior may be missing"
            )
        return found


def arviz() -> Any:
    """The package, without its announcement of a next major version. Raises `MissingExtraError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            import arviz
    except ImportError:
        raise MissingExtraError("arviz", "estimation") from None
    return arviz


def nutpie() -> tuple[Any, Any]:
    """The package, and its door for functions of Python. Raises `MissingExtraError`."""
    try:
        import nutpie
        from nutpie.compiled_pyfunc import from_pyfunc
    except ImportError:
        raise MissingExtraError("nutpie", "estimation") from None
    return nutpie, from_pyfunc


def sample(
    density: Density, scout: np.ndarray, chains: int, tune: int, draws: int, seed: int
) -> Any:
    """InferenceData with one variable a free parameter, (chain, draw), in its own unit.

    The same seed gives the same draws.

    scout: draws z (n, F) that are roughly the posterior's, at which chains start, so that they do
    not all start in one mode of several.

    Raises `MissingExtraError`, `EstimationError` where the sampler cannot start.
    """
    sampler, from_pyfunc = nutpie()
    names, prior = density.prior.names, density.prior

    def expanded(z: np.ndarray) -> dict[str, np.ndarray]:  # called once a draw
        display.advance(bar)
        return dict(zip(names, map(np.asarray, prior.values(expit(z)[None])[0]), strict=True))

    kinds = [np.dtype("float64")] * len(names)
    model = from_pyfunc(
        len(names),
        lambda: density.with_gradient,
        lambda *_: expanded,
        kinds,
        [()] * len(names),
        list(names),
        make_initial_point_fn=lambda chain: scout[
            np.random.default_rng(chain).integers(len(scout))
        ],
    )
    try:
        with progress() as display:
            bar = display.add_task(
                f"{prior.spec.name}, {density.responder.title}",
                total=chains * (tune + draws),
                unit="draws",
                note=f"NUTS, chains: {chains}",
            )
            return sampler.sample(
                model,
                draws=draws,
                tune=tune,
                chains=chains,
                cores=1,
                seed=seed,
                save_warmup=False,
                progress_bar=False,
            )
    except RuntimeError as error:
        first = next(iter(str(error).splitlines()), "")
        raise EstimationError(
            f"World '{prior.spec.name}': the sampler stopped: {first}. Narrow the ranges, or see"
            " whether the target's standard deviations are far too small."
        ) from None


def diagnose(posterior: Any) -> Diagnostics:
    """R-hat, effective sample sizes and divergences of InferenceData."""
    az, found = arviz(), posterior.posterior
    worst = {
        "r_hat": float(az.rhat(found).to_array().max()) if found.sizes["chain"] > 1 else math.nan,
        "ess_bulk": float(az.ess(found, method="bulk").to_array().min()),
        "ess_tail": float(az.ess(found, method="tail").to_array().min()),
    }
    return Diagnostics(
        **worst,
        divergences=int(posterior.sample_stats["diverging"].sum()),
        chains=found.sizes["chain"],
        draws=found.sizes["draw"],
    )


def u_of(density: Density, posterior: Any) -> np.ndarray:
    """The draws as places in the prior, (n, F), chain after chain."""
    values = np.stack(
        [posterior.posterior[name].values.ravel() for name in density.prior.names], axis=1
    )
    return density.prior.places(values)


def missed(density: Density, posterior: Any, scout: np.ndarray) -> list[str]:
    """Parameters whose draws are distributed otherwise than the scout's z (n, F): chains that went
    from no mode to another keep the shares of their starts.
    """
    theirs, ours = expit(scout), u_of(density, posterior)
    return [
        name
        for k, name in enumerate(density.prior.names)
        if ks_2samp(ours[:, k], theirs[:, k]).statistic > MISSED
    ]
