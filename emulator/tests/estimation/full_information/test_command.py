"""`emulator estimate --data` as a user types it, on a tiny budget; what its files hold, and that an
interrupted one goes on.
"""

import json
import shlex
import signal

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.errors import EstimationError, EstimationWarning
from emulator.estimation.full_information import ledger
from emulator.estimation.full_information.solving import estimate_from_data
from emulator.estimation.result_files import check_estimates
from emulator.inference.posterior_draws import read_posterior
from emulator.tests.estimation.full_information.regression import AR, write_ar

SMALL = ("--chains", "2", "--draws", "200", "--starts", "2")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    model, data = write_ar(folder)
    return model, data, folder


def test_a_model_file_on_its_data(emulate, finished):
    model, data, folder = finished
    code, out, err = emulate(
        "estimate", "--world", model, "--data", data, "--output", folder / "x", *SMALL
    )
    assert code == 0, err
    assert "Estimation results: ar, exact solution" in out
    assert "interval" in out
    assert "pstdev" in out
    assert "log marginal likelihood" in out
    assert check_estimates(folder / "x") == ["ar"]
    assert not (folder / "x" / "ar" / "stages").exists()
    table = pd.read_csv(folder / "x" / "ar" / "parameters.csv", index_col="parameter")
    assert list(table.index) == ["rho", "stderr_e"]
    assert table.loc["stderr_e", "prior"] == "invg"
    rho, spread, evidence = by_quadrature(model, data)
    assert table.loc["rho", "mean"] == pytest.approx(rho, abs=5 * spread / 20)
    assert table.loc["rho", "sd"] == pytest.approx(spread, rel=0.15)
    result = json.loads((folder / "x" / "ar" / "result.json").read_text())
    logs = result["log_marginal_likelihood"]
    assert logs["sampler"] == pytest.approx(evidence, abs=0.25)
    assert logs["harmonic_mean"] == pytest.approx(evidence, abs=0.15)
    assert logs["laplace"] == pytest.approx(evidence, abs=0.3)
    assert result["identification"]["rank_of_moments"] == 2
    code, _, err = emulate(
        "estimate", "--world", model, "--data", data, "--output", folder / "x", *SMALL
    )
    assert code != 0
    assert "holds an estimate already" in err
    draws = read_posterior(folder / "x" / "ar", n=50)
    assert list(draws.table.columns) == ["rho", "stderr_e"]
    assert len(draws.table) == 50
    again = emulator.world(draws.world).log_likelihood(
        data, draws.table, **draws.likelihood_options
    )
    assert np.isfinite(again["log_likelihood"]).all()


def test_a_mode_at_a_bound_says_why_there_is_no_laplace(emulate, finished):
    """The range ends where the prior does not: the mode is at its end."""
    model, data, folder = finished
    few = ("--chains", "1", "--draws", "60", "--starts", "2", "--range", "rho=0:0.2")
    code, out, err = emulate(
        "estimate", "--world", model, "--data", data, "--output", folder / "bound", *few
    )
    assert code == 0, err
    why = "the mode is at an end of the range of rho"
    assert f"no Laplace approximation ({why})" in " ".join(out.split())
    assert f"{why}: Laplace's approximation does not hold" in " ".join(err.split())


def by_quadrature(model, data):
    """Mean and standard deviation of rho, and the log marginal likelihood, on a grid."""
    rho, size = np.meshgrid(np.linspace(0.01, 0.98, 80), np.linspace(0.6, 1.7, 80))
    theta = pd.DataFrame({"rho": rho.ravel(), "stderr_e": size.ravel()})
    economy = emulator.world(model)
    log = economy.log_likelihood(data, theta)["log_posterior"].values
    weights = np.exp(log - log.max())
    cell = (rho[0, 1] - rho[0, 0]) * (size[1, 0] - size[0, 0])
    mean = np.average(theta["rho"], weights=weights)
    sd = np.sqrt(np.average((theta["rho"] - mean) ** 2, weights=weights))
    return mean, sd, log.max() + np.log(weights.sum() * cell)


@pytest.mark.parametrize(
    ("written", "begin", "how"), [(0, "mode", signal.SIGINT), (3, "prior", signal.SIGTERM)]
)
def test_an_interrupted_estimate_goes_on_to_the_same_answer(
    emulate, finished, tmp_path, monkeypatch, written, begin, how
):
    """Ended by Ctrl-C or a batch system while its mode, or a later stage, is written."""
    model, data, _ = finished
    command = ("estimate", "--world", model, "--data", data, *SMALL, "--from", begin)
    command = (*command, "--draws", "60", "--output", tmp_path / "x")
    write, count = ledger.write_bytes, [0]

    def dies(path, content):
        if count[0] >= written:
            if how == signal.SIGINT:  # which a process in the background may ignore
                raise KeyboardInterrupt
            signal.raise_signal(how)
        count[0] += 1
        write(path, content)

    monkeypatch.setattr(ledger, "write_bytes", dies)
    code, _, err = emulate(*command)
    assert code == 128 + how
    typed = f"emulator {shlex.join(map(str, command))}"
    assert err.rstrip().endswith(f"are kept. To go on from them: {typed}")
    assert bool(written) == any((tmp_path / "x").rglob("*.npz"))
    if written:
        _, _, err = emulate("decompose", model, "--data", data, "--posterior", tmp_path / "x")
        assert f"with the same options: {typed}." in " ".join(err.split())
    monkeypatch.setattr(ledger, "write_bytes", write)
    code, out, err = emulate(*command)
    assert code == 0, err
    assert ("going on from the stages" in out) == bool(written)
    assert not (tmp_path / "x" / "command.txt").exists()
    whole = tmp_path / "whole"
    emulate(*command[:-1], whole)
    first, second = (
        (folder / "ar" / "parameters.csv").read_text() for folder in (tmp_path / "x", whole)
    )
    assert first == second


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "data"], "expected 'mode' or 'prior'"),
        (["--observe", "y=x"], "names 'x', which is neither an observable nor a parameter"),
        (["--sample", "1950Q1:1960Q4"], "does not lie within the data"),
        (["--fix", "phi=1"], "phi"),
        (["--start", "cold"], "The start is 'cold'"),
        (["--presample", "70"], "The presample is 70"),
    ],
)
def test_bad_requests_end_in_a_message(emulate, tmp_path, arguments, message):
    model, data = write_ar(tmp_path)
    code, _, err = emulate(
        "estimate", "--world", model, "--data", data, "--output", tmp_path / "x", *arguments
    )
    assert code != 0
    assert message in " ".join(err.split())
    assert "Traceback" not in err


@pytest.mark.fast
def test_a_file_without_priors_is_refused(emulate, tmp_path):
    text = AR[: AR.index("estimated_params")] + "varobs y;\n"
    model, data = write_ar(tmp_path, text)
    code, _, err = emulate("estimate", "--world", model, "--data", data, "--output", tmp_path / "x")
    assert code != 0
    assert "says no prior" in " ".join(err.split())


@pytest.mark.fast
def test_what_is_no_posterior_is_refused(tmp_path):
    (tmp_path / "posterior.nc").write_bytes(b"nothing")
    with pytest.raises(EstimationError, match="holds no posterior"):
        read_posterior(tmp_path)


def test_worlds_on_the_same_data_get_probabilities(emulate, tmp_path):
    """The world that made the data, and one that has no memory."""
    model, data = write_ar(tmp_path)
    text = AR.replace("rho*y(-1) + e", "rho + e").replace(
        "beta_pdf, 0.5, 0.2", "uniform_pdf, , , 0, 1"
    )
    (tmp_path / "flat.mod").write_text(text.replace("z = y;", "z = y(-1);"))
    code, out, err = emulate(
        "estimate",
        "--world",
        f"{model},{tmp_path / 'flat.mod'}",
        "--data",
        data,
        "--output",
        tmp_path / "x",
        *SMALL,
    )
    assert code == 0, err
    assert "Worlds on the same data" in out
    table = pd.read_csv(tmp_path / "x" / "worlds.csv", index_col="world")
    assert table["probability"].sum() == pytest.approx(1.0)
    assert table.loc["ar", "probability"] > 0.95
    assert (tmp_path / "x" / "worlds.png").is_file()


@pytest.mark.fast
def test_options_of_the_files_estimation_hold(tmp_path):
    text = AR + "estimation(datafile=ar, first_obs=5, nobs=40, presample=3, prefilter=1);\n"
    model, data = write_ar(tmp_path, text)
    from emulator.estimation.full_information.question import DataProblem

    with pytest.warns(Warning, match="'estimation' was not run"):
        problem = DataProblem.of(emulator.read_data(data), model)
    likelihood = problem.density.likelihood
    assert likelihood.data.sample == "1961Q1:1970Q4"
    assert likelihood.presample == 3
    assert abs(likelihood.data.values.mean()) < 1e-12
    assert len(problem.notes) == 3


def test_in_python_with_nuts(tmp_path):
    from emulator.estimation.settings import Budget

    model, data = write_ar(tmp_path, periods=16)
    budget = Budget(sampler="nuts", chains=2, tune=60, draws=80, starts=1)
    with pytest.warns(EstimationWarning):  # so few draws
        estimate = estimate_from_data(data, model, budget=budget)
    rho, spread, evidence = by_quadrature(model, data)
    assert estimate.table().loc["rho", "mean"] == pytest.approx(rho, abs=5 * spread / 8)
    assert estimate.evidences.sampled.log == pytest.approx(evidence, abs=0.3)
