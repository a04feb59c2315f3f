"""`nk` against closed forms and its own equations, and what matters for what (Dynare's numbers:
`test_dynare.py`).
"""

import numpy as np
import pytest

from emulator.errors import NoSolutionError, ParameterError
from emulator.spec import Status
from emulator.worlds import get_world
from emulator.worlds.nk import SPEC

NK = get_world("nk")


def columns(theta):
    return dict(zip(SPEC.parameter_names, theta.T, strict=True))


@pytest.mark.fast
def test_without_smoothing_the_responses_are_the_closed_form():
    """Galí (2015), ch. 3, by undetermined coefficients for an AR(1) shock of persistence rho and
    rho_i = 0.
    """
    theta = NK.sample(2000, np.random.default_rng(0))
    theta[:, SPEC.index("rho_i")] = 0.0
    assert (
        NK.status(theta) == Status.OK
    ).all()  # the border of determinacy does not depend on rho_i
    p = columns(theta)
    irf = NK.irf(theta, horizon=10)
    for shock, letter in enumerate("mru"):
        rho = p[f"rho_{letter}"]
        real = p["sigma"] * (1 - rho) + p["phi_y"]
        gain = 1 / ((1 - p["beta"] * rho) * real + p["kappa"] * (p["phi_pi"] - rho))
        sign = -1.0 if letter == "m" else 1.0
        if letter == "u":
            x, pi = -(p["phi_pi"] - rho) * gain, real * gain
        else:
            x, pi = sign * (1 - p["beta"] * rho) * gain, sign * p["kappa"] * gain
        i = p["phi_pi"] * pi + p["phi_y"] * x + (letter == "m")
        impact = p[f"sigma_{letter}"][:, None] * np.stack([x, 4 * pi, 4 * i], axis=1)
        path = impact[:, None, :] * rho[:, None, None] ** np.arange(11)[None, :, None]
        assert np.abs(irf[:, shock] - path).max() < 1e-10 * np.abs(path).max()


@pytest.mark.fast
def test_responses_satisfy_the_equations_as_they_are_written():
    """The expectation of a variable along an impulse response is its next entry."""
    theta = NK.sample(500, np.random.default_rng(1))
    p = {name: values[:, None] for name, values in columns(theta).items()}
    irf = NK.irf(theta, horizon=60)
    for shock, letter in enumerate("mru"):
        x, pi, i = irf[:, shock, :, 0], irf[:, shock, :, 1] / 4, irf[:, shock, :, 2] / 4
        process = p[f"sigma_{letter}"] * p[f"rho_{letter}"] ** np.arange(61)
        m, r, u = (process * (letter == other) for other in "mru")
        now, ahead = slice(0, 60), slice(1, 61)
        before = np.concatenate([np.zeros((500, 1)), i[:, :60]], axis=1)
        is_curve = x[:, now] - x[:, ahead] + (i[:, now] - pi[:, ahead] - r[:, now]) / p["sigma"]
        phillips = pi[:, now] - p["beta"] * pi[:, ahead] - p["kappa"] * x[:, now] - u[:, now]
        rule = i - p["rho_i"] * before - (1 - p["rho_i"]) * (p["phi_pi"] * pi + p["phi_y"] * x) - m
        for error in (is_curve, phillips, rule):
            assert np.abs(error).max() < 1e-10


@pytest.mark.fast
def test_every_parameter_matters_exactly_where_theory_says_so():
    """A shock's own persistence and size move its own responses alone; every other parameter moves
    all of them.
    """
    theta = NK.sample(200, np.random.default_rng(2))
    base = NK.irf(theta)
    own = {
        f"{kind}_{letter}": {shock}
        for shock, letter in enumerate("mru")
        for kind in ("rho", "sigma")
    }
    for k, name in enumerate(SPEC.parameter_names):
        changed = theta.copy()
        changed[:, k] += 0.01 * (SPEC.high[k] - SPEC.low[k])
        effect = np.abs(NK.irf(changed) - base).max(axis=2)  # draw, shock, observable
        for shock in range(3):
            if shock in own.get(name, {0, 1, 2}):
                assert (effect[:, shock] > 1e-9).all(), (name, shock)
            else:
                assert (effect[:, shock] == 0).all(), (name, shock)


@pytest.mark.fast
def test_one_draw_in_sixteen_is_refused_and_counted():
    draws = NK.draw(20_000, np.random.default_rng(3))
    assert len(draws.theta) == 20_000
    assert set(draws.rejections) == {"indeterminate"}
    share = draws.rejections["indeterminate"] / (20_000 + draws.rejections["indeterminate"])
    assert 0.058 < share < 0.072
    assert (NK.status(draws.rejected_theta) == draws.rejected_status).all()
    assert (NK.status(draws.theta) == Status.OK).all()


@pytest.mark.fast
def test_a_draw_without_solution_raises_or_gives_nan():
    theta = np.concatenate([SPEC.theta(), SPEC.theta(phi_pi=0.8, phi_y=0.0)])
    with pytest.raises(
        NoSolutionError,
        match=(
            r"1 draw\(s\) without a unique stable solution \(1 indeterminate\).*row 1.*phi_pi=0.8"
        ),
    ):
        NK.irf(theta)
    with pytest.raises(NoSolutionError):
        NK.simulate(theta, np.zeros((2, 5, 3)))
    irf = NK.irf(theta, on_failure="nan")
    assert np.isfinite(irf[0]).all()
    assert np.isnan(irf[1]).all()
    assert np.isnan(NK.simulate(theta, np.zeros((2, 5, 3)), on_failure="nan")[1]).all()


@pytest.mark.fast
def test_bad_requests_are_refused():
    theta = SPEC.theta()
    with pytest.raises(ParameterError, match="horizon is -1"):
        NK.irf(theta, horizon=-1)
    with pytest.raises(ParameterError, match="on_failure is 'ignore'"):
        NK.irf(theta, on_failure="ignore")
    with pytest.raises(ParameterError, match=r"takes shocks of shape \(1, T, 3\)"):
        NK.simulate(theta, np.zeros((1, 5, 2)))
    with pytest.raises(ParameterError, match="shocks must be finite"):
        NK.simulate(theta, np.full((1, 5, 3), np.nan))
