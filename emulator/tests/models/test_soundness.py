"""Checkpoints with a valid seal that make no sense: each is refused, at once and with a reason."""

import dataclasses
import io
import os
import time
import zipfile

import pytest
import torch

from emulator import models
from emulator.errors import CheckpointError, ConfigError, ModelError
from emulator.models import checkpoint as checkpoints
from emulator.models import weights_file
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.models.check import _observed, _statistics
from emulator.models.trained import load
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

SPECS = {name: get_world(name).spec for name in ("nk", "lss")}
WEIGHT = "networks.0.0.weight"


@pytest.fixture(scope="module")
def whole():
    torch.manual_seed(0)
    model = PerWorldMLPBaseline.from_specs(SPECS, 10, hidden_dims=[8])
    statistics = {name: _statistics(spec) for name, spec in SPECS.items()}
    model.bind(statistics, SPECS)
    return checkpoints.Checkpoint(
        model_name=checkpoints.name_of(model),
        model_options=model.options,
        weights=model.state_dict(),
        world_specs=SPECS,
        statistics=statistics,
        config={"lr": 1e-3},
        data_fingerprint="f" * 64,
        epoch=3,
        val_loss=0.5,
        horizon=10,
    )


def write(path, raw):
    """Any content at all, under a valid seal."""
    buffer = io.BytesIO()
    torch.save(raw, buffer)
    path.write_bytes(checkpoints._seal(buffer.getvalue()))
    return path


def refused(path, match, seconds=5.0):
    start = time.process_time()
    with pytest.raises(CheckpointError, match=match) as refusal:
        load(path)
    assert time.process_time() - start < seconds
    assert len(str(refusal.value)) < 2000


def altered(whole, *place, value):
    """The content of a checkpoint with one entry replaced."""
    raw = checkpoints.content(whole)
    raw["model"] = {**raw["model"], "weights": dict(raw["model"]["weights"])}
    inner = raw
    for key in place[:-1]:
        inner[key] = dict(inner[key])
        inner = inner[key]
    inner[place[-1]] = value
    return raw


def test_what_the_tests_alter_can_be_loaded(whole, tmp_path):
    assert load(write(tmp_path / "best.pt", checkpoints.content(whole))).n_weights > 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_that_are_no_numbers(whole, tmp_path, value, suffix):
    weights = {name: weight.clone() for name, weight in whole.weights.items()}
    weights[WEIGHT][1, 2] = value
    bad = dataclasses.replace(whole, weights=weights)
    path = tmp_path / f"best{suffix}"
    if suffix == ".pt":
        checkpoints.save(path, bad)
    else:
        with pytest.MonkeyPatch.context() as patch:  # our own writer refuses NaN
            patch.setattr(weights_file, "_refuse_non_numbers", lambda *_: None)
            path.write_bytes(weights_file.encode(bad))
    refused(path, r"networks\.0\.0\.weight.*(NaN|not finite)|NaN.*networks")


def test_weights_that_make_infinite_answers(whole, tmp_path):
    weights = {name: weight.clone() for name, weight in whole.weights.items()}
    for name in weights:
        if name.startswith("networks.1"):
            weights[name].fill_(1e30)
    path = tmp_path / "best.pt"
    checkpoints.save(path, dataclasses.replace(whole, weights=weights))
    refused(path, "mean of its training draws of 'lss' it answers with numbers that are not finite")


@pytest.mark.parametrize("value", [1e12, 1e20, 1e37])
def test_weights_that_make_absurdly_large_answers(whole, tmp_path, value):
    """They are numbers still, and were answered with: 1e37 percent of output."""
    weights = {name: weight.clone() for name, weight in whole.weights.items()}
    name = [name for name in weights if name.startswith("networks.1")][-1]
    weights[name].fill_(value)
    path = tmp_path / "best.pt"
    checkpoints.save(path, dataclasses.replace(whole, weights=weights))
    refused(path, "at the mean of its training draws of 'lss' it answers")


MOMENTS = ["theta_mean", "theta_std", "theta_low", "theta_high", "irf_scale"]


@pytest.mark.parametrize("field", MOMENTS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_statistics_that_cannot_be(whole, tmp_path, field, value):
    bad = whole.statistics["nk"]._asdict()
    bad[field] = bad[field].clone()
    bad[field].view(-1)[0] = value
    path = write(tmp_path / "best.pt", altered(whole, "statistics", "nk", value=bad))
    refused(path, rf"statistics of 'nk' \({field}\)")


@pytest.mark.parametrize("field", MOMENTS)
@pytest.mark.parametrize("value", [torch.zeros(1), torch.zeros(0), "text", None, [1.0]])
def test_statistics_of_another_shape_or_type(whole, tmp_path, field, value):
    bad = whole.statistics["nk"]._asdict() | {field: value}
    path = write(tmp_path / "best.pt", altered(whole, "statistics", "nk", value=bad))
    refused(path, "no checkpoint to be believed")


@pytest.mark.parametrize("field", MOMENTS)
@pytest.mark.parametrize("kind", [torch.float64, torch.int64, torch.bool, torch.float16])
def test_statistics_of_another_kind_of_number(whole, tmp_path, field, kind):
    """Whole numbers gave wrong answers, others a traceback."""
    bad = whole.statistics["nk"]._asdict()
    bad[field] = bad[field].to(kind)
    path = write(tmp_path / "best.pt", altered(whole, "statistics", "nk", value=bad))
    refused(path, rf"statistics of 'nk' \({field}\) are of type")


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.bool, torch.float8_e4m3fn])
def test_weights_of_another_kind_of_number(whole, tmp_path, kind):
    weights = {**whole.weights, WEIGHT: whole.weights[WEIGHT].to(kind)}
    path = tmp_path / "best.pt"
    checkpoints.save(path, dataclasses.replace(whole, weights=weights))
    refused(path, "are of type")


@pytest.mark.filterwarnings("ignore:.*nested tensors:UserWarning")
def test_weights_of_changing_length(whole, tmp_path):
    ragged = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    path = tmp_path / "best.pt"
    checkpoints.save(path, dataclasses.replace(whole, weights={**whole.weights, WEIGHT: ragged}))
    refused(path, "no plain tensor")


def test_paths_that_the_system_refuses(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path / ("long" * 200), tmp_path / "zero\0byte"):
        refused(path, "cannot be read as a checkpoint")


@pytest.mark.parametrize("count", [1, 7])
def test_a_network_of_any_number_of_observables_is_believed_and_its_scales_held_to_it(
    tmp_path, count
):
    spec = _observed(SPECS["nk"], count)
    model = PerWorldMLPBaseline.from_specs({spec.name: spec}, 10, hidden_dims=[8])
    moments = _statistics(spec)
    model.bind({spec.name: moments}, {spec.name: spec})
    content = checkpoints.Checkpoint(
        model_name=checkpoints.name_of(model),
        model_options=model.options,
        weights=model.state_dict(),
        world_specs={spec.name: spec},
        statistics={spec.name: moments},
        config={},
        data_fingerprint="f" * 64,
        epoch=3,
        val_loss=0.5,
        horizon=10,
    )
    checkpoints.save(tmp_path / "best.pt", content)
    network = load(tmp_path / "best.pt").network
    assert network(moments.theta_mean[None], spec.name).shape[3] == count
    other = moments._replace(irf_scale=torch.ones(3, count + 1))
    bad = dataclasses.replace(content, statistics={spec.name: other})
    checkpoints.save(tmp_path / "best.pt", bad)
    refused(tmp_path / "best.pt", r"irf_scale.* have shape")


def test_a_spec_that_declares_moves_of_what_is_not_there(whole, tmp_path):
    text = (
        SPECS["nk"]
        .model_dump_json()
        .replace(
            '"role":"policy_rule"', '"role":"policy_rule","moves_only":{"shocks":["nobody"]}', 1
        )
    )
    raw = altered(whole, "worlds", "nk", value=text)
    refused(write(tmp_path / "best.pt", raw), "nobody")


def test_negative_scales(whole, tmp_path):
    bad = whole.statistics["nk"]._asdict()
    bad["irf_scale"] = -bad["irf_scale"]
    refused(write(tmp_path / "b.pt", altered(whole, "statistics", "nk", value=bad)), "negative")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("horizon",), 10**9),
        (("horizon",), -1),
        (("horizon",), 10.0),
        (("horizon",), True),
        (("epoch",), "three"),
        (("epoch",), -1),
        (("val_loss",), "low"),
        (("config",), [1]),
        (("training",), "none"),
        (("versions",), 3),
        (("worlds",), ["nk"]),
        (("worlds", "nk"), "{}"),
        (("worlds", "nk"), 3),
        (("statistics",), None),
        (("statistics", "nk"), {}),
        (("data_fingerprint",), 7),
        (("trust",), [1]),
        (("trust",), {"options": {}}),
        (("trust",), {"options": {}, "weights": {"a": float("nan")}}),
        (("trust",), {"options": {}, "weights": {"a": torch.tensor(float("nan"))}}),
        (("model",), "network"),
        (("model", "name"), 3),
        (("model", "name"), "os:system"),
        (("model", "options"), None),
        (("model", "options"), {1: 2}),
        (("model", "options"), {}),
        (("model", "weights"), [torch.zeros(3)]),
        (("model", "weights"), {}),
        (("model", "weights", WEIGHT), 3.0),
        (("model", "weights", WEIGHT), torch.zeros(3)),
        (("model", "weights", WEIGHT), torch.zeros(8, 12, dtype=torch.complex64)),
        (("model", "weights", WEIGHT), torch.zeros(8, 12).to_sparse()),
        (("model", "weights", WEIGHT), torch.zeros(8, 12, device="meta")),
        (("model", "weights", WEIGHT), torch.zeros(1).expand(10**9, 10**6)),
    ],
    ids=lambda value: str(value)[:40].replace("\n", ""),
)
def test_entries_of_wrong_types_or_sizes(whole, tmp_path, place, value):
    refused(write(tmp_path / "best.pt", altered(whole, *place, value=value)), r"best\.pt")


@pytest.mark.parametrize(
    "options",
    [
        {"H": 10**9},
        {"H": -1},
        {"hidden_dims": [10**9]},
        {"hidden_dims": [10**8, 10**8]},
        {"hidden_dims": [0]},
        {"hidden_dims": [True]},
        {"hidden_dims": "wide"},
        {"hidden_dims": [8] * 100_000},
        {"n_shocks": 10**8},
        {"n_shocks": {"nk": 10**8, "lss": 2}},
        {"n_observables": 0},
        {"n_observables": 10**8},
        {"n_observables": {"nk": 7, "lss": 3}},
        {"n_observables": {"nk": 3}},
        {"param_dims": {"nk": 10**8, "lss": 36}},
        {"param_dims": {"nk": -12, "lss": 36}},
        {"param_dims": {"nk": "12", "lss": 36}},
        {"dropout": float("nan")},
        {"dropout": 1e300},
        {"H": float("inf")},
    ],
    ids=lambda value: str(value)[:40],
)
def test_options_that_ask_for_another_network(whole, tmp_path, options):
    raw = altered(whole, "model", "options", value=whole.model_options | options)
    refused(write(tmp_path / "best.pt", raw), r"best\.pt")


@pytest.mark.parametrize(
    "options",
    [
        {"width": 10**8},
        {"layers": 10**8},
        {"layers": 10**8, "width": 1},
        {"states": 10**8},
        {"token_dim": 10**8},
        {"shock_width": 10**8},
        {"width": 0},
        {"H": 10**9},
    ],
    ids=str,
)
def test_the_universal_network_with_absurd_options(tmp_path, options):
    whole = models.load("universal").checkpoint
    bad = dataclasses.replace(whole, model_options=whole.model_options | options, trust={})
    checkpoints.save(tmp_path / "best.pt", bad)
    refused(tmp_path / "best.pt", r"best\.pt")


@pytest.mark.parametrize(
    "change",
    [
        {"members": 10**8},
        {"horizon": 10**9},
        {"n_shocks": 10**8},
        {"n_parameters": -1},
        {"n_observables": 10**8},
        {"n_observables": 2},
    ],
)
def test_trust_of_absurd_sizes(tmp_path, change):
    whole = models.load("universal").checkpoint
    options = {world: dict(parts) for world, parts in whole.trust["options"].items()}
    options["nk"]["band"] = options["nk"]["band"] | change
    bad = dataclasses.replace(whole, trust=whole.trust | {"options": options})
    checkpoints.save(tmp_path / "best.pt", bad)
    refused(tmp_path / "best.pt", r"best\.pt")


def test_entries_that_hold_themselves(whole, tmp_path):
    endless = []
    endless.append(endless)
    refused(write(tmp_path / "a.pt", altered(whole, "config", value={"x": endless})), "without end")
    many = "x"
    for _ in range(40):
        many = [many] * 9
    refused(write(tmp_path / "b.pt", altered(whole, "config", value={"x": many})), "without end")


def test_an_archive_that_unfolds(whole, tmp_path):
    buffer = io.BytesIO()
    torch.save(checkpoints.content(whole), buffer)
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(buffer) as entries,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for entry in entries.infolist():
            other.writestr(entry.filename, entries.read(entry))
        other.writestr("archive/data/999", bytes(10**7))
    (tmp_path / "best.pt").write_bytes(checkpoints._seal(packed.getvalue()))
    refused(tmp_path / "best.pt", "unfolds to")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_pipes_and_devices_are_no_files(tmp_path, suffix):
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    refused(pipe, "is a pipe or a device")
    device = tmp_path / f"device{suffix}"
    device.symlink_to("/dev/zero")
    refused(device, "is a pipe or a device")


def test_a_file_of_holes_is_not_read(tmp_path):
    path = tmp_path / "best.pt"
    with path.open("wb") as file:
        file.truncate(2**35)
    refused(path, "bytes; a trained network has at most")


def test_a_path_that_is_none(tmp_path):
    refused(f"{tmp_path}/a\0b.pt", "cannot be read")


def test_the_command_ends_with_a_reason(whole, tmp_path, emulate):
    weights = {name: weight * float("nan") for name, weight in whole.weights.items()}
    checkpoints.save(tmp_path / "best.pt", dataclasses.replace(whole, weights=weights))
    code, out, err = emulate("irf", "nk", "--checkpoint", tmp_path / "best.pt")
    assert code == 1
    assert "nan" not in out.lower()
    assert "not finite" in err


@pytest.mark.parametrize("widths", [[0], [-3], [True], [2.5], ["8"]])
def test_a_layer_without_width_is_refused_where_it_is_asked_for(widths):
    with pytest.raises((ModelError, ConfigError), match=r"width|fit"):
        models.build("PerWorldMLPBaseline", SPECS, 10, {"hidden_dims": widths})
