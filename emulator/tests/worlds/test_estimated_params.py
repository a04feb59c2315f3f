"""`estimated_params` with all that Dynare takes: every shape, blocks that change it, errors of
measurement, shocks that nothing else gives a size.
"""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import integrate

import emulator
from emulator.errors import ModFileError
from emulator.inference.economy import Economy
from emulator.worlds.priors import Prior, inverse_gamma

MODEL = """
var y z; varexo e u; parameters rho phi;
rho = 0.5; phi = 0.2;
model(linear); y = rho*y(-1) + e; z = phi*y + u; end;
shocks; var e; stderr 1; var u; stderr 1; end;
estimated_params;
rho, 0.6, 0, 0.99, beta_pdf, 0.5, 0.2;
phi, weibull_pdf, 0.5, 0.25;
stderr e, inv_gamma_pdf, 0.3, inf;
corr e, u, 0.1, -1, 1, normal_pdf, 0, 0.3;
stderr y, inv_gamma_pdf, 0.1, 2;
end;
varobs y z;
"""


@pytest.fixture
def world(tmp_path):
    def read(text):
        path = tmp_path / "file.mod"
        path.write_text(text)
        return emulator.world(path).solver

    return read


@pytest.mark.fast
@pytest.mark.parametrize(
    "prior",
    [
        Prior(prior="weibull", mean=0.5, sd=0.25),
        Prior(prior="weibull", mean=1.5, sd=0.5, shift=1.0),
        Prior(prior="inv_gamma", mean=1.5, sd=0.2, shift=1.0),
        Prior(prior="inv_gamma2", mean=1.5, sd=0.2, shift=1.0),
    ],
)
def test_moments_are_those_asked_for(prior):
    shape = prior.opened(1e-12)

    def moment(power):
        def weighted(x):
            return x**power * np.exp(float(shape.log_density(np.array(x), whole=True)))

        return integrate.quad(weighted, prior.shift + 1e-6, 12.0, limit=400)[0]

    assert moment(0) == pytest.approx(1.0, abs=1e-3)
    assert moment(1) == pytest.approx(prior.mean, rel=1e-3)
    assert np.sqrt(moment(2) - moment(1) ** 2) == pytest.approx(prior.sd, rel=0.02)
    share = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(shape.probability(shape.quantile(share)), share, atol=1e-9)


@pytest.mark.fast
def test_an_inverse_gamma_without_a_variance_is_dynares():
    """nu = 2 and s = 2 mean^2 / pi: the mean is kept, and the density falls with the cube."""
    prior = Prior(prior="inv_gamma", mean=0.3, sd=np.inf).opened(1e-10)
    assert inverse_gamma(prior) == (pytest.approx(2 * 0.3**2 / np.pi), 2.0)
    logs = prior.log_density(np.array([10.0, 20.0]), whole=True)
    assert logs[1] - logs[0] == pytest.approx(-3 * np.log(2), abs=1e-2)
    with pytest.raises(ValidationError, match="expected a finite number"):
        Prior(prior="normal", mean=0.3, sd=np.inf)


@pytest.mark.fast
def test_all_lines_have_a_prior_over_their_whole_support(world):
    file = world(MODEL)
    priors = file.priors
    assert set(priors) == {"rho", "phi", "stderr_e", "corr_e_u", "stderr_y"}
    assert priors["rho"].bounds() == (0.0, 0.99)
    assert priors["phi"].prior == "weibull"
    assert priors["stderr_e"].bounds()[1] > 1000
    assert file.said_of_data.errors == {"y": "stderr_y"}
    assert file.spec.theta()[0][file.spec.index("stderr_y")] == 0.1


@pytest.mark.fast
def test_an_estimated_error_of_measurement_counts_in_the_likelihood(world):
    economy = Economy.named(world(MODEL))
    rng = np.random.default_rng(0)
    index = pd.Index([f"{1990 + t // 4}Q{t % 4 + 1}" for t in range(40)], name="period")
    table = pd.DataFrame(rng.normal(size=(40, 2)), index=index, columns=["y", "z"])
    answer = economy.log_likelihood(table, stderr_y=[0.0001, 0.5])
    plain = economy.log_likelihood(table, stderr_y=[0.0001], errors={"y": 0.5})
    assert answer["log_likelihood"].values[1] == pytest.approx(plain["log_likelihood"].values[0])
    assert answer["log_likelihood"].values[0] != pytest.approx(plain["log_likelihood"].values[0])


@pytest.mark.fast
def test_blocks_change_what_stands_before_them(world):
    file = world(
        MODEL + "estimated_params_bounds; rho, 0.1, 0.9; end;\n"
        "estimated_params_init; rho, 0.3; stderr y, 0.25; end;\n"
        "estimated_params_remove; phi; end;\n"
    )
    assert "phi" not in file.priors
    assert file.priors["rho"].bounds() == (0.1, 0.9)
    assert file.errors == {"stderr_y": 0.25}


@pytest.mark.fast
@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("estimated_params_init; rho, 0.1, 0.2; end;", "expected: name, initial"),
        ("estimated_params_bounds; rho, 0.1; end;", "expected: name, lower, upper"),
        ("estimated_params_remove; stderr u; end;", "which estimated_params does not"),
        ("estimated_params_init; psi, 0.1; end;", "'psi' .* is not declared"),
    ],
)
def test_blocks_that_cannot_be_read_are_refused(world, block, message):
    with pytest.raises(ModFileError, match=message):
        _ = world(MODEL + block).priors


@pytest.mark.fast
def test_a_shock_that_only_estimated_params_sizes_is_there(world):
    text = MODEL.replace("shocks; var e; stderr 1; var u; stderr 1; end;", "").replace(
        "stderr y, inv", "stderr u, 0.7, 0, 5, inv"
    )
    file = world(text)
    assert file.spec.shock_names == ("e", "u")
    theta = dict(zip(file.spec.parameter_names, file.spec.theta()[0], strict=True))
    assert (theta["stderr_e"], theta["stderr_u"]) == (0.3, 0.7)
    assert theta["corr_e_u"] == pytest.approx(0.1)
