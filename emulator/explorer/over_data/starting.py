"""The explorer started with the posterior of an estimate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from emulator.console import say
from emulator.explorer.economies import Economies
from emulator.explorer.fit import Fit
from emulator.explorer.posterior import Posterior
from emulator.explorer.state import State
from emulator.worlds import WORLDS


def started_by(path: Path, economies: Economies, query: str = "") -> str:
    """Put a posterior on the shelf, and the responses that it was matched to below the page's.
    Returns the address to start at: the one that was asked for, or the posterior's mean in its
    world.

    Raises `EstimationError` for what is no posterior.
    """
    posterior = Posterior.read(path)
    name = economies.tables.posteriors.put(posterior.name, posterior)
    if posterior.world not in WORLDS:
        say(
            f"The posterior '{name}' is of {posterior.world or 'a world that it does not name'}:"
            " load that file in the page, and choose the posterior there."
        )
        return query
    if posterior.matched and economies.fit is None:
        economies.fit = Fit.read(path, economies.spec)
    if query:
        return query
    spec = economies.spec(posterior.world)
    mean = posterior.mean()
    usual = State.read(f"world={posterior.world}", economies.spec)
    values = tuple((p.name, mean[p.name]) for p in spec.parameters if p.name in mean)
    live = replace(usual.live, values=values)
    return replace(usual, live=live, view=replace(usual.view, posterior=name)).query()
