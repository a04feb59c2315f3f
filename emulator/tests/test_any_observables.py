"""`.mod` files whose mappings name one, two and seven observables, from the check of the files to
one trained network, scores, figures and the explorer.
"""

import re

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.explorer.app import create_app
from emulator.explorer.economies import Economies
from emulator.tests.conftest import brief_trust
from emulator.tests.explorer.test_uploads import send

MOD = """
var x pi i u; varexo e_m e_u; parameters kappa rho; kappa = 0.1; rho = 0.5;
model(linear);
x = x(+1) - (i - pi(+1)); pi = 0.99*pi(+1) + kappa*x + u;
i = 1.5*pi + 0.5*i(-1) + e_m; u = rho*u(-1) + e_u;
end;
shocks; var e_m; stderr 0.25; var e_u; stderr 0.1; end;
"""
REST = """
shocks: {monetary: e_m, cost_push: e_u}
parameters:
  kappa: {low: 0.05, high: 0.3}
  rho: {low: 0, high: 0.9}
  stderr_e_m: {low: 0.1, high: 0.5, role: shock_size}
  stderr_e_u: {low: 0.05, high: 0.3, role: shock_size}
"""
RUN = """
dataset: {folder}/data
worlds: [one, two, seven]
model: UniversalEmulator
model_options: {{width: 16, layers: 1, shock_width: 8, states: 3}}
batch_size: 64
epochs: 1
checkpoint_dir: {folder}/run
"""
OBSERVABLES = {
    "one": "frequency: month\nobservables: {gap: {expression: x, unit: points}}",
    "two": "observables: {spread: i - pi, rate: 4*i}",
    "seven": "observables:\n"
    + "".join(
        f"  {name}: {{expression: x + {k}*pi, unit: points}}\n" for k, name in enumerate("abcdefg")
    ),
}
NAMES = {"one": ["gap"], "two": ["rate", "spread"], "seven": list("abcdefg")}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with the model under three mappings."""
    folder = tmp_path_factory.mktemp("observables")
    for name, observables in OBSERVABLES.items():
        (folder / f"{name}.mod").write_text(MOD)
        (folder / f"{name}.world.yaml").write_text(observables + REST)
    (folder / "run.yaml").write_text(RUN.format(folder=folder))
    return folder


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mappings_of_any_observables_go_all_the_way(files, emulate):
    """It takes seconds, as it runs every command between a file and a network's answer."""
    data, run, scores = (files / name for name in ("data", "run", "scores"))
    paths = ",".join(str(files / f"{name}.mod") for name in NAMES)
    sizes = ("--n_samples", 200, "--horizon", 8, "--periods", 0)
    scored = ("--bootstrap", 50, "--output", scores)
    for command in (
        ("generate", "--world", paths, *sizes, "--output", data),
        ("validate", "--dataset", data),
        ("train", "--config", files / "run.yaml"),
        ("calibrate", "--checkpoint", run / "best.pt", "--dataset", data),
        ("evaluate", "--checkpoint", run / "calibrated.pt", "--dataset", data, *scored),
    ):
        with brief_trust():
            code, out, said = emulate(*command)
        assert code == 0, (command, out, said)
    network = emulator.load(run / "calibrated.pt")
    for name, observables in NAMES.items():
        answer = network.irf(name)
        assert answer["observable"].values.tolist() == observables
        assert {"lower", "upper"} <= set(answer)
        exact = emulator.world(files / f"{name}.mod").irf(horizon=8)
        assert exact["observable"].values.tolist() == observables
        assert exact["unit"].values.tolist() == answer["unit"].values.tolist()
        answer.responses.plot(files / f"{name}.png")
    table = pd.read_csv(scores / "scores.csv")
    assert set(table["world"]) == set(NAMES)
    assert np.isfinite(table.select_dtypes("number")).to_numpy().any()


@pytest.mark.parametrize("name", ["one", "seven"])
def test_mappings_of_any_observables_open_in_the_explorer(name, files):
    economies = Economies(None)
    client = create_app(economies).test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    mapping = (files / f"{name}.world.yaml").read_text()
    world = send(client, MOD, mapping, f"{name}.mod").get_json()["world"]
    shown = client.get("/picture", query_string={"state": f"world={world}", "patient": "1"})
    panels = re.findall("<figcaption", shown.get_json()["picture"])
    assert len(panels) == min(6, len(NAMES[name]))
    economies.close()
