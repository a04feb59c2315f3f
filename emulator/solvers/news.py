"""Responses of linear rational-expectations models to shocks that are known before they occur.

In `A E[y'] + B y + C y_1 + D e = 0`, with the stable rule y = X y_1 + P e of surprises and
W = A X + B, a shock e that is known k periods ahead moves y today by M^k P e, where M = -W^-1 A:
today's decisions answer to what they lead to tomorrow (Schmitt-Grohé and Uribe 2012, Econometrica
80, doi:10.3982/ECTA8050, on news shocks; the recursion is the forward solution of Blanchard and
Kahn 1980, Econometrica 48, doi:10.2307/1912186). No state for the news is added to the model.

Axes: n draw, V variable, S shock, H horizon, O observable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emulator.solvers.stacks import solve_stack


@dataclass(frozen=True)
class Outlook:
    """A solved model that looks ahead: transition X (n, V, V), impact P (n, V, S), onward M
    (n, V, V), and what is observed of it, (n, O, V). NaN without a solution.
    """

    transition: np.ndarray
    impact: np.ndarray
    onward: np.ndarray
    observed: np.ndarray


def onward_matrix(lead: np.ndarray, current: np.ndarray, transition: np.ndarray) -> np.ndarray:
    """M (n, V, V) from lead A, current B and transition X, all (n, V, V)."""
    with np.errstate(all="ignore"):
        return -solve_stack(lead @ transition + current, lead)


def anticipated_response(outlook: Outlook, ahead: int, horizon: int) -> np.ndarray:
    """Responses (n, S, H+1, O) to shocks of one that become known at horizon 0 and occur `ahead`
    periods later.
    """
    pushes = [outlook.impact]
    for _ in range(ahead):
        pushes.append(outlook.onward @ pushes[-1])
    y = np.zeros_like(outlook.impact)
    n, _, shocks = outlook.impact.shape
    responses = np.empty((n, shocks, horizon + 1, outlook.observed.shape[1]))
    for h in range(horizon + 1):
        y = outlook.transition @ y
        if h <= ahead:
            y = y + pushes[ahead - h]
        responses[:, :, h] = np.swapaxes(outlook.observed @ y, 1, 2)
    return responses
