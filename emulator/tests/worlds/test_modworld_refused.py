"""What is wrong with a stranger's `.mod` file or with its mapping is said."""

from functools import partial

import pytest
from typer.testing import CliRunner

from emulator.cli import app
from emulator.errors import EmulatorError, ModFileError
from emulator.tests.worlds.stranger_file import MAPPING, MODEL, written
from emulator.worlds import get_world

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning")]


@pytest.fixture
def write(tmp_path):
    return partial(written, tmp_path)


def test_growing_responses_are_no_world(write):
    with pytest.raises(ModFileError, match="qz_criterium"):
        get_world(write(MODEL.replace("order = 1", "qz_criterium = 1.01")))


ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD_MAPPINGS = {
    "empty": ("", "expected a table"),
    "a Python object": ("!!python/object/apply:os.system ['true']", "yaml:1: this is not YAML"),
    "aliases": (ALIASES, "yaml:2: aliases"),
    "deep": ("[" * 100_000, "deep"),
    "not YAML": ("a: [1,\nb: }", "yaml:2: this is not YAML"),
    "UTF-16": (MAPPING.encode("utf-16"), "UTF-8"),
    "large": (MAPPING + "#" * 600_000, "bytes"),
    "no observable": (
        MAPPING.replace("{output: y, inflation: 4*pi, rate: 4*i}", "{}"),
        "at least 1",
    ),
    "an observable with a space": (MAPPING.replace("rate:", "the rate:"), "the rate"),
    "another unit of a shared one": (
        MAPPING.replace("rate: 4*i", "rate: {expression: i, unit: percent}"),
        "rate is in percent; expected annualised percentage points",
    ),
    "an unknown frequency": (MAPPING + "frequency: week\n", "'quarter', 'month' or 'year'"),
    "an unknown key": (MAPPING + "colour: red\n", "colour"),
    "a name with slashes": ("name: ../../up\n" + MAPPING, "name"),
    "an unknown variable": (MAPPING.replace("output: y", "output: gdp"), "'gdp'"),
    "code as an observable": (
        MAPPING.replace("output: y", "output: \"__import__('os').system('true')\""),
        "output",
    ),
    "two statements": (MAPPING.replace("output: y", "output: 'y; pi'"), "';' was not expected"),
    "a constant": (MAPPING.replace("output: y", "output: 3"), "no endogenous variable"),
    "a lead": (MAPPING.replace("output: y", "output: y(+1)"), "today's"),
    "deep functions": (
        MAPPING.replace("output: y", "output: " + "exp(" * 150 + "y" + ")" * 150),
        "nests too many",
    ),
    "a list": (MAPPING.replace("output: y", "output: [y]"), "observables.output"),
    "an unknown shock": (MAPPING.replace("variable: e", "variable: eps"), "'eps' is not a shock"),
    "a sign of two": (MAPPING.replace("sign: -1", "sign: 2"), "sign is 2"),
    "an unknown parameter": (MAPPING.replace("kappa:", "kapa:"), "no such parameter"),
    "an unknown role": (MAPPING.replace("role: policy_rule", "role: king"), "role"),
    "low above high": (
        MAPPING.replace("low: 0.02, high: 0.3", "low: 0.3, high: 0.02"),
        "below high",
    ),
    "a bound that is no number": (MAPPING.replace("high: 0.3", "high: .nan"), "high is nan"),
    "a bound without end": (MAPPING.replace("high: 0.3", "high: .inf"), "high is inf"),
    "no such beta": (MAPPING.replace("sd: 0.15", "sd: 0.9"), "no beta distribution"),
    "no such beta in a range": (
        MAPPING.replace("mean: 0.5, sd: 0.15", "mean: 1.6, sd: 0.15, low: 0.1, high: 0.9"),
        "parameters.rho: no beta distribution",
    ),
    "a prior without mass": (
        MAPPING.replace("mean: 1.5, sd: 0.2", "mean: 100, sd: 0.1"),
        "has no probability between 1.1 and 2.5",
    ),
    "a misspelt key": (MAPPING.replace("parameters:", "paramters:"), "Did you mean 'parameters'"),
    "a negative size": (
        MAPPING + "  stderr_e: {low: -0.1, high: 1.0, role: shock_size}\n",
        "standard deviation begins at -0.1",
    ),
    "the default outside": (
        MAPPING.replace("low: 0.02, high: 0.3", "low: 0.2, high: 0.3"),
        "outside the range",
    ),
}


@pytest.mark.parametrize("name", BAD_MAPPINGS)
def test_a_bad_mapping_is_told(write, name):
    mapping, words = BAD_MAPPINGS[name]
    with pytest.raises(EmulatorError) as error:
        get_world(write(mapping=mapping))
    assert words in str(error.value)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("var x", "stranger.mod:1: "),
        (MODEL.replace("kappa*y", "kapa*y"), "stranger.mod:8: 'kapa' is not declared"),
        (MODEL.replace("kappa = 0.1;", ""), "'kappa' has no value"),
    ],
)
def test_a_bad_model_ends_the_command_with_its_line(write, model, words):
    result = CliRunner().invoke(app, ["worlds", "check", str(write(model))])
    assert result.exit_code != 0
    assert isinstance(result.exception, EmulatorError | SystemExit)
    assert words in (str(result.exception) + result.output).replace("\n", "")


def test_what_was_passed_over_is_said_before_the_error_that_follows_from_it(emulate, write):
    code, _, said = emulate(
        "worlds",
        "check",
        write(MODEL.replace("sigma = 1; beta = 0.99;", "other = 2; sigma = 1; beta = 0.99;")),
    )
    assert code == 1
    assert "not run" in said
    assert said.index("note:") < said.index("error:")


def test_a_variance_below_zero_is_told(write):
    with pytest.raises(
        ModFileError,
        match=r"parameters\.stderr_e: its value .* is not a number: .* a negative variance",
    ):
        get_world(
            write(
                MODEL.replace("var e; stderr 0.5;", "var e = -0.5;"),
                MAPPING + "  stderr_e: {low: 0.1, high: 1.0, role: shock_size}\n",
            )
        )


def test_a_model_without_a_steady_state_is_told(emulate, write):
    code, _, said = emulate(
        "worlds",
        "check",
        write(
            MODEL.replace("model(linear);", "model;").replace(
                "u = rho*u(-1) + e;", "u = u(-1) + 1 + u^2 + e;"
            ),
            MAPPING.replace("  rho: {prior: beta, mean: 0.5, sd: 0.15, role: persistence}\n", ""),
        ),
    )
    assert code == 1
    assert "steady state" in said
