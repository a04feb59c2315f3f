"""A network as files for other programs: ONNX answers as PyTorch does, weights and card travel with
it.
"""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import emulator
from emulator.errors import CheckpointError, MissingExtraError, UnknownNameError
from emulator.inference import Emulator, command
from emulator.inference.export import KEY, encode, export
from emulator.models import build
from emulator.models.check import _declaring, _observed, _statistics, _theta
from emulator.worlds import get_world


@pytest.fixture(scope="module")
def em():
    return emulator.load("universal")


@pytest.mark.parametrize(
    "name",
    [
        "nk",
        "rbc",  # declares effects that are exact
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("var", "lss", "sw07", "switching", "zlb", "hank")
        ),
    ],
)
def test_onnx_answers_as_the_network_does(em, name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    export(em, tmp_path, [name])
    session = runtime.InferenceSession(tmp_path / f"{name}.onnx")
    for n in (1, 700):  # beyond one block of draws
        theta = (
            get_world(name).sample(n, np.random.default_rng(2))
            if name != "hank"
            else np.repeat(em.spec(name).theta(), n, axis=0)
        )
        irf, width = session.run(["irf", "half_width"], {"theta": theta.astype(np.float32)})
        expected = em.alone.irf(name, theta, on_failure="nan")
        solved = expected["determinate"].values
        scale = abs(expected["irf"].values[solved]).max(axis=(1, 2, 3), keepdims=True)
        assert abs((irf[solved] - expected["irf"].values[solved]) / scale).max() < 1e-5
        band = (expected["upper"] - expected["irf"]).values[solved]
        assert abs((width[solved] - band) / scale).max() < 1e-5
    described = json.loads(session.get_modelmeta().custom_metadata_map[KEY])
    assert [p["name"] for p in described["parameters"]] == list(em.spec(name).parameter_names)
    assert described["shocks"] == list(em.spec(name).shock_names)
    assert described["observables"][0] == {"name": "output", "unit": "percent"}


@pytest.mark.slow
def test_a_file_of_seven_observables_keeps_to_what_the_world_declares():
    """Of a network that nobody trained; one file stands for all."""
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    spec = _declaring(_observed(get_world("nk").spec, 7))
    model = build("UniversalEmulator", {spec.name: spec}, 8, {"width": 8, "shock_width": 4})
    model.bind({spec.name: _statistics(spec)}, {spec.name: spec})
    theta = _theta(spec, 3)
    session = runtime.InferenceSession(encode(Emulator(model), spec.name))
    (irf,) = session.run(["irf"], {"theta": theta.numpy()})
    expected = model.eval()(theta, spec.name).detach().numpy()
    np.testing.assert_allclose(irf, expected, rtol=1e-4, atol=1e-5 * abs(expected).max())
    moved = theta.clone()
    moved[:, 0] = theta[:, 0].roll(1)
    (after,) = session.run(["irf"], {"theta": moved.numpy()})
    same = (after == irf).all(axis=(0, 2))
    assert same[~spec.moved[0]].all()
    assert not same[spec.moved[0]].any()


@pytest.mark.fast
def test_weights_and_card_travel(em, tmp_path):
    weights, card = export(em, tmp_path, onnx=False)
    again = emulator.load(weights)
    np.testing.assert_array_equal(again.irf("nk")["irf"], em.irf("nk")["irf"])
    assert em.checkpoint.data_fingerprint in card.read_text()


@pytest.mark.fast
def test_exports_that_cannot_be_are_refused(em, tmp_path, monkeypatch):
    with pytest.raises(UnknownNameError, match="Did you mean 'nk'"):
        export(em, tmp_path / "x", ["nkk"])
    fresh = Emulator(build("LinearBaseline", {"lss": get_world("lss").spec}, 6, {}))
    with pytest.raises(CheckpointError, match="not read from a checkpoint"):
        export(fresh, tmp_path / "x")
    monkeypatch.setattr("emulator.inference.export.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"\[onnx\]"):
        export(em, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_the_help_names_the_extra():
    door = typer.Typer()
    door.command()(command.export)
    shown = CliRunner().invoke(door, ["--help"]).stdout
    assert "(extra [onnx])" in " ".join(shown.replace("│", " ").split())
