"""Where training starts in worlds whose state space has matrices linear in theta, as one whose
parameters are the entries of its matrices.

    y_h = l(z) A(z)^h R(z),    l, A and R linear in z = (1, theta as standard scores)

The response on impact, l R, is a product of two unknown linear functions. Alternating least squares
(Jain, Netrapalli and Sanghavi 2013, doi:10.1145/2488608.2488693) hold the one and solve for the
other; from then on the response of the next period, l A R, is linear in A. Responses alone are
used. What impact and loadings do not reach cannot be seen so: a system whose shocks move some state
only after a period is not found. Axes: n draw, F 1 + P, S shock, H horizon, O observable, N state.
"""

from __future__ import annotations

import torch
from torch import Tensor

from emulator.models.universal.start import EXACT, FITTED, Start, moments, regress, solve
from emulator.models.universal.state_space import LOOSE_GROWTH, bounded_powers, rollout

ROUNDING = 1e-7
"""Share of the responses on impact that rounding in single precision leaves unexplained."""

RIDGE = 1e-13
"""Penalty as a share of the mean square of the regressors: states that two coordinates describe
equally well need one.
"""

ROUNDS, PATIENCE, GAIN = 400, 15, 0.98
"""Alternations at most, and after how many of them what is left unexplained is to have fallen by
this factor.
"""

RESTARTS = 3
"""Random starts: with few draws one in four ends on a plateau."""

DRAWS = 1024
"""Draws that are looked at, at most."""

LARGEST, BLOCK = 4000, 64
"""Coefficients of a transition at most, and draws whose equations are set up at once."""

KNOWN = 0.75
"""Unknown coefficients at most, as a share of the responses on impact that they are to explain."""


def exact_start(z_nF: Tensor, irf_nSHO: Tensor, lags: int, most: int) -> Start | None:
    """The vector autoregression with so many lags, else the state space with `most` states at most,
    that explains all responses; None where neither does.
    """
    start = regress(z_nF, irf_nSHO, lags)
    return start if start.unexplained <= EXACT else find_states(z_nF, irf_nSHO, most)


def find_states(z_nF: Tensor, irf_nSHO: Tensor, most: int) -> Start | None:
    """The state space with the fewest states, `most` at most, that explains all responses of a
    quarter of the draws from the others; None if none does.
    """
    if irf_nSHO.shape[2] < 2:
        return None
    z, irf = z_nF[:DRAWS].double(), irf_nSHO[:DRAWS].double()
    shocks, observables = irf.shape[1], irf.shape[3]
    fitted = int(FITTED * len(z))
    noise = torch.Generator().manual_seed(0)  # which leaves the run's own random stream as it is
    for states in range(1, most + 1):
        unknown = z.shape[1] * states * (shocks + observables)
        if unknown > KNOWN * fitted * shocks * observables or z.shape[1] * states**2 > LARGEST:
            return None
        for _ in range(RESTARTS):
            found = _impact(z[:fitted], irf[:fitted, :, 0], states, noise)
            if found is None:
                continue
            first, loadings = found
            transition = _transition(z[:fitted], irf[:fitted, :, 1], first, loadings)
            start = Start(transition, loadings, first, 1.0)
            unexplained = _unexplained(start, z[fitted:], irf[fitted:], most)
            if unexplained <= EXACT:
                return Start(transition.float(), loadings.float(), first.float(), unexplained)
    return None


def _impact(
    z: Tensor, impact_nSO: Tensor, states: int, noise: torch.Generator
) -> tuple[Tensor, Tensor] | None:
    """Coefficients of l (F, S, N) and R (F, N, O) whose product is the response on impact, in
    coordinates in which the states' mean second moment over draws and shocks is one; None if there
    are none.
    """
    features, observables = z.shape[1], impact_nSO.shape[2]
    right = torch.randn(features, states, observables, generator=noise, dtype=z.dtype)
    moved, earlier = impact_nSO.square().sum(), float("inf")
    if not moved > 0:
        return None
    for turn in range(1, ROUNDS + 1):
        left = _factor(z, _at(z, right).transpose(1, 2), impact_nSO.transpose(1, 2))
        left = left.transpose(1, 2)
        right = _factor(z, _at(z, left), impact_nSO)
        error = float(((_at(z, left) @ _at(z, right) - impact_nSO).square().sum() / moved).sqrt())
        if error <= ROUNDING:
            break
        if turn % PATIENCE == 0:
            if not error <= GAIN * earlier:
                break
            earlier = error
    if not error <= EXACT:
        return None
    rows = _at(z, left).flatten(0, 1)
    root, failed = torch.linalg.cholesky_ex(rows.T @ rows / len(rows))
    if failed:  # fewer states would do, or none
        return None
    return torch.linalg.solve(root.T, left, left=False), root.T @ right


def _at(z: Tensor, coefficients: Tensor) -> Tensor:
    """A matrix that is linear in z, (n, i, j) from (F, i, j)."""
    return torch.einsum("nf,fij->nij", z, coefficients)


def _factor(z: Tensor, known: Tensor, product: Tensor) -> Tensor:
    """Coefficients (F, N, j) of X linear in z that bring known X (n, i, N times n, N, j) nearest to
    a product (n, i, j).
    """
    regressors = torch.einsum("nf,nik->nifk", z, known).flatten(2).flatten(0, 1)
    solved = solve(moments(regressors, product.flatten(0, 1)), RIDGE)
    return solved.unflatten(0, (z.shape[1], known.shape[2]))


def _transition(z: Tensor, next_nSO: Tensor, first: Tensor, loadings: Tensor) -> Tensor:
    """Coefficients (F, N, N) of the transition by which the responses after a period come out."""
    features, states = z.shape[1], first.shape[2]
    width = features * states**2
    gram, target = z.new_zeros(width, width), z.new_zeros(width, 1)
    for block in torch.arange(len(z)).split(BLOCK):
        before, after = _at(z[block], first), _at(z[block], loadings)
        regressors = torch.einsum("nf,nsi,njo->nsofij", z[block], before, after)
        left = regressors.flatten(3).flatten(0, 2)
        gram += left.T @ left
        target += left.T @ next_nSO[block].reshape(-1, 1)
    return solve([gram, target], RIDGE).view(features, states, states)


def _unexplained(start: Start, z: Tensor, irf: Tensor, most: int) -> float:
    """Share of the responses left unexplained, rolled out within the network's own bounds."""
    undamped = z.new_full((len(z),), float("inf"))
    of_A = bounded_powers(_at(z, start.transition), undamped, LOOSE_GROWTH, most)
    rolled = rollout(of_A, _at(z, start.first), _at(z, start.loadings), irf.shape[2] - 1)
    error = float(((rolled - irf).square().sum() / irf.square().sum()).sqrt())
    return error if error == error else float("inf")
