"""The posterior by NUTS (Hoffman and Gelman 2014, JMLR 15), and the marginal quasi-likelihood that
its draws imply.

The sampler is nutpie, which takes gradients of any Python function: docs/decisions/004-sampler.md.
Results are ArviZ InferenceData.

The marginal likelihood is found by bridge sampling: Meng and Wong (1996, Statistica Sinica 6), in
the form of Gronau et al. (2017, doi:10.1016/j.jmp.2017.09.005). A normal density over z is fitted
to half of the posterior's draws; the other half and as many draws of the normal make the bridge.
Unlike the harmonic mean it has finite variance, and unlike plain importance sampling it needs no
proposal with heavier tails than the posterior. The prior is normalised over its ranges *where there
is a solution*, so its mass there is divided out.

Axes: n draw, P parameter, F free parameter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import ks_2samp, multivariate_normal

from emulator.errors import EstimationError, MissingExtraError
from emulator.estimation.density import PosteriorDensity
from emulator.estimation.diagnostics import Evidence, arviz
from emulator.progress import progress

MISSED = 0.2
"""Largest difference between the distribution functions of chains and scout, for one parameter,
that is put down to chance.
"""

ROUNDS = 1000
CLOSE = 1e-8
"""The bridge's fixed point is sought in so many rounds, to this precision in logarithms."""


def nutpie() -> tuple[Any, Any]:
    """The package, and its door for functions of Python. Raises `MissingExtraError`."""
    try:
        import nutpie
        from nutpie.compiled_pyfunc import from_pyfunc
    except ImportError:
        raise MissingExtraError("nutpie", "estimation") from None
    return nutpie, from_pyfunc


def sample(
    density: PosteriorDensity, scout: np.ndarray, chains: int, tune: int, draws: int, seed: int
) -> Any:
    """InferenceData with one variable a free parameter, (chain, draw), in its own unit.

    The same seed gives the same draws.

    scout: draws z (n, F) that are roughly the posterior's, at which chains start, so that they do
    not all start in one mode of several.

    Raises `MissingExtraError`, `EstimationError` where the sampler cannot start.
    """
    sampler, from_pyfunc = nutpie()
    prior = density.prior
    names = prior.names

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
                f"{prior.spec.name}, {density.title}",
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


def u_of(density: PosteriorDensity, posterior: Any) -> np.ndarray:
    """The draws as places in the prior, (n, F), chain after chain."""
    values = np.stack(
        [posterior.posterior[name].values.ravel() for name in density.prior.names], axis=1
    )
    return density.prior.places(values)


def missed(density: PosteriorDensity, posterior: Any, scout: np.ndarray) -> list[str]:
    """Parameters whose draws are distributed otherwise than the scout's z (n, F): chains that went
    from no mode to another keep the shares of their starts.
    """
    theirs = expit(scout)
    ours = u_of(density, posterior)
    return [
        name
        for k, name in enumerate(density.prior.names)
        if ks_2samp(ours[:, k], theirs[:, k]).statistic > MISSED
    ]


def log_evidence(density: PosteriorDensity, z: np.ndarray, rng: np.random.Generator) -> Evidence:
    """z (chains, draws, F): draws of the posterior. NaN where the bridge does not converge."""
    half = z.shape[1] // 2
    fitted = z[:, :half].reshape(-1, z.shape[2])
    bridged = z[:, half:]
    proposal = multivariate_normal(
        fitted.mean(axis=0), np.atleast_2d(np.cov(fitted, rowvar=False)), allow_singular=True
    )
    n = bridged.shape[0] * bridged.shape[1]
    drawn = proposal.rvs(n, random_state=rng).reshape(n, -1)
    ours, theirs = (
        density.parts(points).total - np.atleast_1d(proposal.logpdf(points))
        for points in (bridged.reshape(n, -1), drawn)
    )
    bounded = np.exp(-np.logaddexp(0, -(ours - np.median(ours))))
    effective = min(float(arviz().ess(bounded.reshape(bridged.shape[:2]))), float(n))
    share = effective / (effective + n)
    log = _bridge(ours, theirs, share)
    solvable, error = density.prior_mass(n, rng)
    return Evidence(
        log - solvable,
        float(np.sqrt(_relative_error(ours - log, theirs - log, share, effective) + error**2)),
    )


def _bridge(ours: np.ndarray, theirs: np.ndarray, share: float) -> float:
    """The fixed point of Meng and Wong's optimal bridge, from log-ratios of the two densities at
    draws of each.
    """
    log = float(np.median(ours))
    for _ in range(ROUNDS):
        above = logsumexp(
            theirs - np.logaddexp(np.log(share) + theirs, np.log1p(-share) + log)
        ) - np.log(len(theirs))
        below = logsumexp(-np.logaddexp(np.log(share) + ours, np.log1p(-share) + log)) - np.log(
            len(ours)
        )
        before = log
        log = float(above - below)
        if abs(log - before) < CLOSE:
            return log
    return float("nan")


def _relative_error(ours: np.ndarray, theirs: np.ndarray, share: float, effective: float) -> float:
    """Approximate relative mean squared error: equation 16 of Gronau et al. (2017), with
    autocorrelation counted by the effective size.
    """
    at_theirs = np.exp(theirs - np.logaddexp(np.log(share) + theirs, np.log1p(-share)))
    at_ours = np.exp(-np.logaddexp(np.log(share) + ours, np.log1p(-share)))
    return float(
        at_theirs.var() / at_theirs.mean() ** 2 / len(theirs)
        + at_ours.var() / at_ours.mean() ** 2 / effective
    )


def z_of(density: PosteriorDensity, u: np.ndarray, chains: int) -> np.ndarray:
    """Draws u (n, F) of a posterior, chain after chain, as z (chains, draws, F)."""
    return density.prior.z(u).reshape(chains, -1, u.shape[1])
