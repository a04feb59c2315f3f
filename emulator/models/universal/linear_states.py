"""A state space whose matrices are linear in theta, as one whose parameters are the entries of its
matrices.

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

from emulator.models.universal.start import EXACT, FITTED, Start, at, moments, solve, summed

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

STARTS = 3
"""Random starts of the alternation: with few draws one in four ends on a plateau."""

ENOUGH, PLENTY = 4 / 3, 3.0
"""Responses on impact for each unknown coefficient, at least and at most."""

LARGEST_FACTOR, LARGEST_TRANSITION, LARGEST_SQUARE = 300, 4000, 1000
"""Coefficients at most of l or R for one shock or observable, of A, and of a quadratic form."""

BLOCK = 64
"""Draws whose equations for A are set up at once."""


def find_states(z_nF: Tensor, irf_nSHO: Tensor, most: int) -> Start | None:
    """The state space with the fewest states, `most` at most, by which all responses on impact come
    out, and with the transition that those of the next period ask for; None if there is none.

    Three quarters of the draws say what it is, the others how well it does (`Start.unexplained`).
    """
    if irf_nSHO.shape[2] < 2 or not bool(irf_nSHO[:, :, 0].any()):
        return None
    z, irf = z_nF.double(), irf_nSHO.double()
    fitted = int(FITTED * len(z))
    if not _may_be_quadratic(z, irf[:, :, 0], fitted):
        return None
    live = irf.any(2).any(0)  # of shocks and observables
    shocks, observables = int(live.any(1).sum()), int(live.any(0).sum())
    noise = torch.Generator().manual_seed(0)  # which leaves the run's own random stream as it is
    for states in range(1, most + 1):
        features, unknown = z.shape[1], z.shape[1] * states * (shocks + observables)
        if (
            features * states > LARGEST_FACTOR
            or features * states**2 > LARGEST_TRANSITION
            or ENOUGH * unknown > fitted * shocks * observables
        ):
            return None
        used = min(fitted, int(PLENTY * unknown / (shocks * observables)) + 1)
        for _ in range(STARTS):
            factors = _impact(z[:used], irf[:used, :, 0], states, noise)
            if factors is not None:
                return _judged(z, irf, fitted, *factors)
    return None


def _may_be_quadratic(z: Tensor, impact_nSO: Tensor, fitted: int) -> bool:
    """False where the responses on impact are no quadratic form in z, as a product of two linear
    functions is; true where the draws are too few to tell.
    """
    left, right = torch.triu_indices(z.shape[1], z.shape[1])
    if len(left) > LARGEST_SQUARE or ENOUGH * len(left) > fitted:
        return True
    squares, target = z[:, left] * z[:, right], impact_nSO.flatten(1)
    form = solve(moments(squares[:fitted], target[:fitted]), RIDGE)
    missed = (squares[fitted:] @ form - target[fitted:]).square().sum()
    # what two forms that are nearly alike leave open is larger than rounding
    return bool(missed <= (10 * EXACT) ** 2 * target[fitted:].square().sum())


def _impact(
    z: Tensor, impact_nSO: Tensor, states: int, noise: torch.Generator
) -> tuple[Tensor, Tensor] | None:
    """Coefficients of l (F, S, N) and R (F, N, O) whose product is the response on impact, in
    coordinates in which the states' mean second moment over draws and shocks is one; None if there
    are none.
    """
    features, observables = z.shape[1], impact_nSO.shape[2]
    loadings = torch.randn(features, states, observables, generator=noise, dtype=z.dtype)
    moved, earlier = impact_nSO.square().sum(), float("inf")
    for turn in range(1, ROUNDS + 1):
        first = _factor(z, at(z, loadings).transpose(1, 2), impact_nSO.transpose(1, 2))
        first = first.transpose(1, 2)
        loadings = _factor(z, at(z, first), impact_nSO)
        missed = (at(z, first) @ at(z, loadings) - impact_nSO).square().sum()
        error = float((missed / moved).sqrt())
        if error <= ROUNDING:
            break
        if turn % PATIENCE == 0:
            if not error <= GAIN * earlier:
                break
            earlier = error
    if not error <= EXACT:
        return None
    rows = at(z, first).flatten(0, 1)
    root, failed = torch.linalg.cholesky_ex(rows.T @ rows / len(rows))
    if failed:  # fewer states would do, or none
        return None
    return torch.linalg.solve(root.T, first, left=False), root.T @ loadings


def _factor(z: Tensor, known: Tensor, product: Tensor) -> Tensor:
    """Coefficients (F, N, j) of X linear in z that bring known X (n, i, N times n, N, j) nearest to
    a product (n, i, j).
    """
    regressors = torch.einsum("nf,nik->nifk", z, known).flatten(2).flatten(0, 1)
    solved = solve(moments(regressors, product.flatten(0, 1)), RIDGE)
    return solved.unflatten(0, (z.shape[1], known.shape[2]))


def _judged(z: Tensor, irf: Tensor, fitted: int, first: Tensor, loadings: Tensor) -> Start:
    """The start with the transition of the fitted draws, judged by the responses of a period later
    of the others.
    """
    transition = _transition(z[:fitted], irf[:fitted, :, 1], first, loadings)
    held, truth = z[fitted:], irf[fitted:, :, :2]
    now = at(held, first)
    later = now @ at(held, transition)
    predicted = torch.stack([now, later], dim=2) @ at(held, loadings)[:, None]
    unexplained = float(((predicted - truth).square().sum() / truth.square().sum()).sqrt())
    return Start(transition.float(), loadings.float(), first.float(), unexplained)


def _transition(z: Tensor, next_nSO: Tensor, first: Tensor, loadings: Tensor) -> Tensor:
    """Coefficients (F, N, N) of the transition by which the responses after a period come out."""
    equations = (
        _next_equations(z[block], next_nSO[block], first, loadings)
        for block in torch.arange(len(z)).split(BLOCK)
    )
    return solve(summed(equations), RIDGE).view(z.shape[1], first.shape[2], first.shape[2])


def _next_equations(
    z: Tensor, next_nSO: Tensor, first: Tensor, loadings: Tensor
) -> tuple[Tensor, Tensor]:
    """What stands beside each coefficient of the transition (n S O, F N N), and the responses after
    a period (n S O, 1).
    """
    regressors = torch.einsum("nf,nsi,njo->nsofij", z, at(z, first), at(z, loadings))
    return regressors.flatten(3).flatten(0, 2), next_nSO.reshape(-1, 1)
