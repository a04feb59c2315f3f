"""Smoothed shocks, decompositions and forecasts against Dynare's."""

import numpy as np
import pandas as pd
import pytest

from emulator.tests.reference.history import cases
from emulator.tests.reference.likelihood import cases as likelihood_cases

TOLERANCE = 1e-8

pytestmark = [
    pytest.mark.fast,
    pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning"),
]


CONDITIONAL = [name for name, case in cases.CASES.items() if case.condition]


@pytest.fixture(scope="module")
def asked(request, tmp_path_factory):
    """Name and case, the economy, and what all its questions share."""
    case = cases.CASES[request.param]
    economy = likelihood_cases.economy(case.likelihood, tmp_path_factory.mktemp("model"))
    common = {
        "data": cases.table(request.param),
        "start": case.likelihood.start,
        "observables": list(case.watched),
    }
    return request.param, case, economy, common


def dynare(name, what, **options):
    return pd.read_csv(cases.HERE / f"{name}_{what}.csv", **options)


def target(name, answer):
    """The variable itself, of which a series may have the name, and errors of measurement."""
    observable = f"{name} (observable)"
    return observable if observable in answer["target"].values else name


def close(values, wanted):
    np.testing.assert_allclose(values, wanted, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("asked", cases.CASES, indirect=True)
def test_smoothed_shocks_and_variables(asked):
    name, case, economy, common = asked
    answer = economy.smooth(**common).isel(draw=0)
    theta, spec = economy.spec.theta()[0], economy.spec
    wanted = dynare(name, "shocks")
    for shock in spec.shocks:
        size = theta[spec.index(str(shock.size))] if shock.size else 1.0
        close(answer["shock_path"].sel(shock=shock.name) * size, wanted[shock.name])
    variables = dynare(name, "variables")
    for variable in case.watched:
        path = answer["target_path"].sel(target=target(variable, answer))
        close(path, variables[variable])


@pytest.mark.parametrize("asked", cases.CASES, indirect=True)
def test_decompositions(asked):
    name, case, economy, common = asked
    answer = economy.decompose(**common).isel(draw=0)
    parts = [*economy.spec.shock_names, "initial"]
    for variable in case.watched:
        wanted = dynare(name, f"decomposition_{variable}", header=None).to_numpy()
        path = answer["contribution"].sel(target=target(variable, answer), part=parts)
        close(path.transpose("period", "part"), wanted)


@pytest.mark.parametrize("asked", cases.CASES, indirect=True)
def test_forecasts(asked):
    name, case, economy, common = asked
    answer = economy.forecast(**common, horizon=cases.HORIZON).isel(draw=0)
    wanted = dynare(name, "forecast")
    for variable in case.watched:
        close(answer["mean"].sel(target=target(variable, answer)), wanted[variable])


@pytest.mark.parametrize("asked", CONDITIONAL, indirect=True)
def test_conditional_forecasts(asked):
    name, case, economy, common = asked
    answer = economy.forecast(
        **common, horizon=cases.HORIZON, condition=case.condition, by=case.controlled
    ).isel(draw=0)
    wanted = dynare(name, "conditional")
    for variable in case.watched:
        close(answer["mean"].sel(target=target(variable, answer)), wanted[variable][1:])
    for variable, path in case.condition.items():
        met = answer["mean"].sel(target=variable)[: len(path)]
        np.testing.assert_allclose(met, path, atol=1e-10)
