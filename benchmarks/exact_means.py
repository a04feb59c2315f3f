"""The exact posterior beside a network's, where sampling with the solver costs too much: the
network's draws by the solver's weights, and a chain that the solver corrects.

The chain: from draws chosen by their weights many walkers take steps that are reversible under the
network, and the solver takes or refuses where each has come to (delayed acceptance; Christen and
Fox 2005, doi:10.1198/106186005X76983). Its target is the exact posterior whatever the network's
error. Axes: n draw, N walker, R round, F free parameter.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from emulator.estimation import Estimate
from emulator.estimation.density import Density, Parts, Responder
from emulator.estimation.diagnostics import arviz
from emulator.estimation.moves import Cloud, moved
from emulator.files import write_text
from emulator.inference import Economy
from emulator.worlds.figures import save

WALKERS, STEPS = 100, 100
"""Of the chain: walkers, and steps of each under the network between two solutions."""

SCALE = 0.5
"""Of both kinds of steps; it does not adapt, so that steps stay reversible."""

COLUMNS = 5
"""Panels of the figure, side by side."""


class Beside(NamedTuple):
    """What stands beside the posterior of a world whose solver is too slow to sample with:
    solutions of a corrected chain, and the figure of marginals.
    """

    walked: int
    marginals: Path | None


def exact_means(result: Estimate, world: Economy, beside: Beside, folder: Path) -> dict[str, Any]:
    """The columns of a world all of whose draws the solver scored, with its table of means."""
    chain = corrected_chain(result, world, beside.walked) if beside.walked else None
    table = means(result, chain)
    write_text(folder / "means.csv", table.to_csv(lineterminator="\n"))
    if beside.marginals is not None:
        draw_marginals(result, chain, beside.marginals)
    columns: dict[str, Any] = {
        "means_apart": table["difference"].abs().max(),
        "means_apart_error": table["its_error"].max(),
    }
    if chain is not None:
        columns |= {
            "chain_solutions": chain.solutions,
            "chain_accepted": chain.accepted,
            "chain_apart": table["chain_difference"].abs().max(),
            "chain_error": table["chain_error"].max(),
        }
    return columns


class Walked(NamedTuple):
    """Parameters (R, N, F) of the corrected chain, the share of proposals that the solver took, and
    how often it was asked.
    """

    values: np.ndarray
    accepted: float
    solutions: int


def corrected_chain(result: Estimate, world: Economy, solutions: int, seed: int = 0) -> Walked:
    """A chain of the exact posterior with about so many solutions."""
    scored, network, rng = result.rescored, result.density, np.random.default_rng(seed)
    assert scored is not None
    prior, target = network.prior, result.target
    solver = Responder(world.answerer, target.shock, target.horizon, target.observables)
    exact = dataclasses.replace(network, responder=solver)
    others = prior.z(prior.places(result.draws))
    places = prior.places(scored.theta[:, list(prior.free)])
    z = prior.z(places[rng.choice(len(places), WALKERS, p=scored.weights)])
    ratio = exact.parts(z).total - network.parts(z).total
    rounds: list[np.ndarray] = []
    taken = 0
    while (len(rounds) + 2) * WALKERS <= solutions:
        there = _under_network(network, z, others, rng)
        ratio_there = exact.parts(there).total - network.parts(there).total
        yes = np.log(rng.uniform(size=WALKERS)) < ratio_there - ratio
        z = np.where(yes[:, None], there, z)
        ratio = np.where(yes, ratio_there, ratio)
        rounds.append(prior.values(expit(z)))
        taken += int(yes.sum())
    return Walked(np.stack(rounds), taken / len(rounds) / WALKERS, (len(rounds) + 1) * WALKERS)


def _under_network(
    network: Density, z: np.ndarray, others: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Where steps under the network lead, along and around other draws that stay."""

    def untempered(points: np.ndarray, parts: Parts) -> np.ndarray:
        return np.zeros(len(points))

    cloud = Cloud(z, network.parts(z), np.zeros(len(z)), power=1.0, short=SCALE, normal=SCALE)
    for _ in range(STEPS):
        kind = "normal" if rng.uniform() < 0.5 else "difference"
        stepped = moved(network, cloud, untempered, kind, rng, others)
        cloud = dataclasses.replace(stepped, short=SCALE, normal=SCALE)
    return cloud.z


def means(result: Estimate, chain: Walked | None = None) -> pd.DataFrame:
    """A row a parameter: the network's posterior mean, that under the solver's weights, the exact
    standard deviation; the difference of these means, and that of the chain's from the second,
    each in that standard deviation and with its Monte Carlo error. All draws must be scored.
    """
    scored, prior = result.rescored, result.density.prior
    assert scored is not None
    values = scored.theta[:, list(prior.free)]
    n, weights = len(values), scored.weights
    exact = weights @ values
    sd = np.sqrt(weights @ (values - exact) ** 2)
    apart = (values - exact) / sd
    columns = {
        "mean_network": values.mean(axis=0),
        "mean_exact": exact,
        "sd_exact": sd,
        "difference": apart.mean(axis=0),
        "its_error": _error(apart * (1 - n * weights)[:, None], result.budget.chains),
    }
    if chain is not None:
        own = (chain.values - exact) / sd
        errors = _error(own.swapaxes(0, 1).reshape(-1, own.shape[2]), WALKERS)
        known = _error(apart * (n * weights)[:, None], result.budget.chains)
        columns["chain_difference"] = own.mean(axis=(0, 1))
        columns["chain_error"] = np.hypot(errors, known)
    return pd.DataFrame(columns, index=pd.Index(prior.names, name="parameter"))


def _error(values: np.ndarray, chains: int) -> np.ndarray:
    """Monte Carlo errors (F,) of means of values (n, F), chain after chain."""
    by_chain = values.reshape(chains, -1, values.shape[1])
    sizes = [float(arviz().ess(by_chain[..., k])) for k in range(values.shape[1])]
    return values.std(axis=0, ddof=1) / np.sqrt(sizes)


def draw_marginals(result: Estimate, chain: Walked | None, path: Path) -> None:
    """A panel a parameter: the marginal of the network's posterior, under the solver's weights, and
    of the chain.
    """
    from matplotlib.figure import Figure

    scored, prior = result.rescored, result.density.prior
    assert scored is not None
    rows = -(-len(prior.names) // COLUMNS)
    figure = Figure(figsize=(13, 2.3 * rows), layout="constrained")
    axes = figure.subplots(rows, COLUMNS).ravel()
    for k, (axis, name) in enumerate(zip(axes, prior.names, strict=False)):
        values = scored.theta[:, prior.free[k]]
        edges = np.linspace(prior.low[k], prior.high[k], 25)
        axis.hist(values, edges, density=True, color="0.8", label="network")
        for label, own, weights in (
            ("by the solver's weights", values, scored.weights),
            ("chain that the solver corrects", None if chain is None else chain.values, None),
        ):
            if own is not None:
                own = own if weights is not None else own[..., k].ravel()
                axis.hist(own, edges, weights=weights, density=True, histtype="step", label=label)
        axis.set_xlabel(f"{name}, {result.spec.parameters[prior.free[k]].unit}", fontsize=8)
        axis.set_yticks([])
        axis.tick_params(labelsize=7)
    for axis in axes[len(prior.names) :]:
        axis.set_axis_off()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    save(figure, path, dpi=110)
