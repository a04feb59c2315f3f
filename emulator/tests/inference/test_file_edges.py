"""Files at the edge of what a question is about: refused, or answered, and never passed over."""

import numpy as np
import pytest

import emulator
from emulator.errors import ModFileError, UnknownNameError

pytestmark = pytest.mark.fast

PERMANENT = """
var y; varexo x;
model; y = 0.5*y(-1) + x; end;
initval; y = 0; x = 0; end;
endval; y = 2; x = 1; end;
steady;
perfect_foresight_setup(periods=10); perfect_foresight_solver;
"""

BOUND = """
var y z; varexo e; parameters rho; rho = 0.5;
model;
y = rho*y(-1) + e;
[name='zz', relax='up'] z = y;
[name='zz', bind='up'] z = 1;
end;
occbin_constraints; name 'up'; bind y > 1; relax y < 1; end;
shocks; var e; stderr 2; end;
occbin_setup(simul_periods=8); occbin_solver;
"""

RULE = """
var y u; varexo e; parameters a g; a = 0.9; g = 0.1;
model(linear); y = a*y(-1) - g*y(-1) + e; u = g*y(-1); end;
shocks; var e; stderr 1; end;
optim_weights; y 1; end;
osr_params g;
osr;
"""


@pytest.fixture
def file(tmp_path):
    def written(text):
        path = tmp_path / "model.mod"
        path.write_text(text)
        return path

    return written


def test_a_path_of_a_file_without_parameters(file):
    path = emulator.world(file(PERMANENT)).perfect_foresight()["path"].isel(draw=0)
    values = path.sel(variable="y").values.ravel()
    np.testing.assert_allclose(values[1:4], [1, 1.5, 1.75])


def test_perfect_foresight_does_not_pass_over_constraints(file, emulate):
    path = file(BOUND)
    with pytest.raises(ModFileError, match=r"OccBin.* are not part of a path under perfect"):
        emulator.world(path).perfect_foresight(shocks={"e": [2.0]}, periods=4)
    code, _, err = emulate("foresight", path, "--shock", "e=2", "--periods", "4")
    assert code == 1
    assert "Ask emulator occbin" in " ".join(err.split())


def test_a_rule_that_is_not_found_is_an_error(file, emulate):
    path = file(RULE)
    code, out, _ = emulate("osr", path)
    assert code == 0
    code, _, err = emulate("osr", path, "--set", "a=2")
    assert code == 1
    assert "No simple rule with a unique stable solution" in " ".join(err.split())
    code, out, err = emulate("osr", path, "--set", "a=0.5,2")
    assert code == 0
    assert "1 of 2 draws have no unique stable solution" in " ".join(err.split())
    assert "inf" in out


def test_a_shock_without_a_size_says_what_can_be_done(file, emulate):
    text = BOUND.replace("varexo e;", "varexo e u;").replace("+ e;", "+ e + u;")
    path = file(
        text.replace(
            "occbin_setup(", "shocks(surprise); var u; periods 1; values 3; end;\noccbin_setup("
        )
    )
    code, _, err = emulate("occbin", path, "--shock", "u")
    assert code == 1
    assert "Shock 'u' has no size" in " ".join(err.split())
    economy = emulator.world(path)
    ways = (
        lambda: economy.occbin(shock="u"),
        lambda: economy.irf(shocks={"u": [1, 1]}),
        lambda: economy.irf(size={"u": 1}),
        lambda: economy.simulate(shocks={"u": [1]}, periods=3),
    )
    for way in ways:
        with pytest.raises(UnknownNameError, match=r"stderr 0.01; end;.* the shock 'surprises'"):
            way()
