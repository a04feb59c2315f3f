"""A release holds the network that was scored, and a card whose numbers are those of the
evaluation.
"""

import dataclasses
import json
import re
import shutil

import pytest
import torch
import yaml

from emulator.errors import CheckpointError, EvaluationError
from emulator.eval import results
from emulator.eval.evaluate import evaluate_checkpoint
from emulator.eval.request import Request
from emulator.eval.tables import number
from emulator.files import sealed, sha256_file
from emulator.leaderboard import command
from emulator.leaderboard import release as releases
from emulator.leaderboard.model_card import Facts, commands, render
from emulator.leaderboard.release import Release, release
from emulator.models import checkpoint as checkpoints
from emulator.models import load, shipped, weights_file
from emulator.tests.eval.conftest import save_network
from emulator.training.config import TrainingConfig, load_config
from emulator.worlds import get_world

CARD_SCORES = ("nrmse", "pooled_nrmse", "relative_error_median", "relative_error_p95")


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """A checkpoint as a run writes it, with its whole configuration, and its scores: (checkpoint,
    results).
    """
    folder = tmp_path_factory.mktemp("work")
    config = TrainingConfig(
        dataset=str(data.path), worlds=["nk", "lss"], lr=3e-3, checkpoint_dir="runs/small"
    ).to_dict()
    checkpoint = save_network(data, folder / "runs" / "small" / "best.pt", 200, config=config)
    request = Request(
        checkpoint,
        data.path,
        splits=("test", "test_extrapolation_slice"),
        output=folder / "results",
        bootstrap=40,
    )
    results.write(evaluate_checkpoint(request), request.folder)
    return checkpoint, request.folder / "results.json"


@pytest.fixture
def request_(run, tmp_path):
    return Release(*run, output=tmp_path / "weights" / "universal", hardware="two cores")


@pytest.fixture
def card(request_):
    release(request_)
    return (request_.output / shipped.CARD).read_text()


def test_a_release_answers_as_the_checkpoint_does(request_):
    place = release(request_)
    assert {path.name for path in request_.output.iterdir()} == {
        "model.safetensors",
        "MODEL_CARD.md",
        "config.yaml",
    }
    before, after = load(request_.checkpoint), load(place)
    for world, spec in before.world_specs.items():
        theta = torch.tensor(spec.theta())
        assert torch.equal(before.network(theta, world), after.network(theta, world))


def test_the_card_holds_the_scores_of_the_results(request_, card):
    document = results.read(request_.results)
    seen = 0
    for row in document["scores"]:
        if row["predictor"] == "network" and row["metric"] in CARD_SCORES:
            factor = 100 if "relative" in row["metric"] else 1
            value, low, high = (number(factor * row[key]) for key in ("value", "low", "high"))
            text = f"| {value}{' %' if factor == 100 else ''} [{low}, {high}] |"
            table = card.split(f"### `{row['split']}`")[1].split("###")[0]
            (line,) = [
                line for line in table.splitlines() if line.startswith(f"| {row['world']} |")
            ]
            assert text in line
            seen += 1
    assert seen == 2 * 2 * len(CARD_SCORES)
    for row in document["summary"]:
        assert (
            f"| {number(row['best_trivial_nrmse'])} | {row['draws']} | {row['failures']} |"
            f" {row['outside_range']} |" in card
        )


def test_the_card_says_what_it_is_made_from(request_, card, data):
    made = checkpoints.read(request_.checkpoint)
    for text in (
        made.sha256,
        made.data_fingerprint,
        made.commit,
        "two cores",
        sha256_file(request_.output / shipped.WEIGHTS),
    ):
        assert text in card
    assert f"{(request_.output / shipped.WEIGHTS).stat().st_size:,} bytes" in card
    assert 'emulator.load("universal")' in card
    for world, spec in made.world_specs.items():
        low, high = made.statistics[world].theta_low, made.statistics[world].theta_high
        for k, p in enumerate(spec.parameters):
            assert (
                f"| `{p.name}` | {p.meaning} | {p.unit} | {p.low:g} to {p.high:g} | {low[k]:.4g} to"
                f" {high[k]:.4g} |" in card
            )


def test_the_card_tells_the_time_that_the_run_recorded(request_, card, tmp_path):
    assert "| training time | not recorded |" in card
    run = shutil.copytree(request_.checkpoint.parent, tmp_path / "run")
    (run / "cost.json").write_text(
        '{"seconds": 4321.0, "steps": 25000, "trainable_weights": 7, "device": "cpu", "threads": 2,'
        ' "processes": 1}'
    )
    release(dataclasses.replace(request_, checkpoint=run / "best.pt"))
    card = (request_.output / shipped.CARD).read_text()
    assert (
        "| training time | 72 minutes, 25,000 steps (device cpu, threads 2, processes 1) |" in card
    )


def test_the_card_tells_of_the_runs_that_training_starts_from(request_, data, tmp_path):
    """Each once, the earliest first; a run whose configuration is not at hand ends its chain."""
    cost = {"seconds": 60.0, "steps": 100, "device": "cpu", "threads": 1, "processes": 1}
    for name, start in (("middle", {"init_from": f"{tmp_path}/first/best.pt"}), ("nk", {})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(start))
    (tmp_path / "nk" / "cost.json").write_text(json.dumps(cost))
    made = checkpoints.read(request_.checkpoint)
    starts = {
        "init_from": f"{tmp_path}/middle",
        "init_worlds": {"nk": f"{tmp_path}/nk/final.pt", "lss": f"{tmp_path}/middle"},
    }
    (tmp_path / "first").mkdir()  # overwritten by a run from its own weights, and half gone
    (tmp_path / "first" / "config.json").write_text(json.dumps({"init_from": f"{tmp_path}/middle"}))
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "config.json").write_text("{")
    starts["init_worlds"] |= {"rbc": f"{tmp_path}/lost", "zlb": "universal"}
    origin = dataclasses.replace(made, config=made.config | starts)
    facts = Facts(
        origin, results.read(request_.results), data, request_.output, b"", "release it", "two"
    )
    before = [f"{tmp_path}/{name}" for name in ("first", "middle", "nk", "lost")]
    wanted = [f"# training starts from {run}: train that network first" for run in before]
    assert [line for line in commands(facts) if line.startswith("#")] == wanted
    assert (
        f"| and that of the runs that it starts from | `{before[0]}`: not recorded; `{before[1]}`:"
        f" not recorded; `{before[2]}`: 1 minutes, 100 steps (device cpu, threads 1, processes 1);"
        f" `{before[3]}`: not recorded |" in render(facts)
    )


def test_a_calibrated_network_is_calibrated_again_by_its_commands(request_, data):
    made = checkpoints.read(request_.checkpoint)
    facts = Facts(
        dataclasses.replace(made, trust={"options": {}}, path="runs/x/calibrated.pt"),
        results.read(request_.results),
        data,
        request_.output,
        b"",
        "",
        "",
    )
    assert (
        f"emulator calibrate --checkpoint runs/x/best.pt --dataset {data.path} --output"
        " runs/x/calibrated.pt" in commands(facts)
    )


def test_the_card_is_markdown_without_holes(card):
    assert not re.search(r"\{\{|\{%|\bnan\b|\bNone\b|\n\n\n\n", card)
    for table in re.findall(r"(?:^\|.*\|\n)+", card, re.M):
        lines = table.splitlines()
        assert {
            line.count(" | ") + 2 * (line == "| | |") for line in lines if "---" not in line
        } == {lines[1].count("|") - 2} or lines[0] == "| | |"


def test_its_commands_are_those_that_make_it_again(request_, card, data):
    block = card.split("## How to make it again")[1].split("The configuration")[0]
    listed = [line.strip() for line in block.splitlines() if line.startswith("    ")]
    assert (
        listed[0]
        == "emulator generate --world nk,lss --n_samples 240 --seed 5 --horizon 12 --periods 0"
        f" --output {data.path}"
    )
    assert listed[1] == f"emulator train --config {request_.output / 'config.yaml'}"
    assert "emulator.eval.evaluate" in listed[2]
    assert listed[3].startswith(f"emulator release --checkpoint {request_.checkpoint} --results")
    assert (
        load_config(request_.output / "config.yaml").to_dict()
        == checkpoints.read(request_.checkpoint).config
    )
    assert (
        yaml.safe_load(card.split("```yaml\n")[1].split("```")[0])
        == checkpoints.read(request_.checkpoint).config
    )


def test_a_network_without_a_band_is_said_to_have_none(card):
    assert "carries no error band" in card
    assert "coverage" not in card


def test_the_card_shows_coverage_and_verdicts(request_, tmp_path):
    document = json.loads(request_.results.read_text())
    document["trust"] = [
        {
            "world": "nk",
            "split": "test",
            "draws": 20,
            "coverage": 0.8912,
            "low": 0.871,
            "high": 0.912,
            "width": 0.0321,
            "flagged": 0.05,
            "bad": 4,
            "bad_flagged": 0.75,
        },
        {
            "world": "lss",
            "split": "test",
            "draws": 20,
            "coverage": 0.93,
            "low": None,
            "high": None,
            "width": 0.5,
            "flagged": 0.0,
            "bad": 0,
            "bad_flagged": None,
        },
    ]
    document["determinacy"] = [
        {
            "world": "nk",
            "draws": 500,
            "determinate": 0.92,
            "auc": 0.987,
            "brier": 0.02,
            "accuracy": 0.97,
        }
    ]
    (tmp_path / "results.json").write_text(json.dumps(sealed(document)))
    release(dataclasses.replace(request_, results=tmp_path / "results.json"))
    card = (request_.output / shipped.CARD).read_text()
    assert "| nk | `test` | 89.1 % [87.1, 91.2] | 0.0321 | 5.00 % | 75.0 % of 4 |" in card
    assert "| lss | `test` | 93.0 % | 0.500 | 0.00 % | none |" in card
    assert "| nk | 500 | 92.0 % | 97.0 % | 0.987 | 0.0200 |" in card


def test_scores_of_another_checkpoint_are_refused(request_, make_checkpoint):
    other = make_checkpoint(steps=1)
    with pytest.raises(
        EvaluationError, match=r"holds scores of the checkpoint .*emulator evaluate --checkpoint"
    ):
        release(dataclasses.replace(request_, checkpoint=other))
    assert not request_.output.exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d["provenance"]["dataset"].update(trained_on=False), "other data"),
        (
            lambda d: d.update(summary=[row for row in d["summary"] if row["world"] != "lss"]),
            "no scores on 'test' of lss",
        ),
        (
            lambda d: d.update(summary=[row for row in d["summary"] if row["split"] != "test"]),
            "no scores on 'test' of lss, nk",
        ),
        (lambda d: d.update(format_version=1), "format version"),
    ],
)
def test_scores_that_say_too_little_are_refused(request_, tmp_path, damage, message):
    document = json.loads(request_.results.read_text())
    damage(document)
    (tmp_path / "results.json").write_text(json.dumps(sealed(document)))
    with pytest.raises(EvaluationError, match=message):
        release(dataclasses.replace(request_, results=tmp_path / "results.json"))
    assert not request_.output.exists()


def test_other_data_are_refused(request_, small_dataset):
    with pytest.raises(EvaluationError, match="Pass --dataset"):
        release(dataclasses.replace(request_, dataset=small_dataset))


def test_a_network_that_is_too_large_is_refused(request_, monkeypatch):
    monkeypatch.setattr(releases, "LARGEST", 10_000)
    with pytest.raises(CheckpointError, match="at most 10,000 ship"):
        release(request_)
    assert not request_.output.exists()


def test_a_file_that_answers_otherwise_is_refused(request_, monkeypatch):
    def other(checkpoint):
        wrong = {
            name: value + (value.ndim == 2) * 1e-3 for name, value in checkpoint.weights.items()
        }
        return encode(dataclasses.replace(checkpoint, weights=wrong))

    encode = weights_file.encode
    monkeypatch.setattr(weights_file, "encode", other)
    with pytest.raises(CheckpointError, match="answers otherwise"):
        release(request_)


def test_the_command_repeats_itself(request_):
    assert request_.command.endswith(f"--output {request_.output} --hardware 'two cores'")
    assert "--dataset" not in request_.command


def test_the_command_line_says_what_it_wrote(request_, capsys):
    place = command.release(
        checkpoint=request_.checkpoint,
        results=request_.results,
        output=request_.output,
        hardware="two cores",
    )
    assert f"{place.stat().st_size:,} bytes: {place}" in capsys.readouterr().out
    assert "| hardware | two cores |" in (request_.output / shipped.CARD).read_text()


@pytest.mark.parametrize("name", shipped.SHIPPED)
def test_what_ships_is_whole_and_fits_its_card_and_the_worlds(name):
    folder = shipped.FOLDER / name
    if not folder.exists():
        pytest.skip(f"no weights of '{name}' in this checkout")
    network = load(name)
    weights, card = folder / shipped.WEIGHTS, (folder / shipped.CARD).read_text()
    assert weights.stat().st_size <= releases.LARGEST
    assert sha256_file(weights) in card
    config = load_config(
        folder / shipped.CONFIG
    ).to_dict()  # later versions may know further settings
    assert {key: config[key] for key in network.checkpoint.config} == network.checkpoint.config
    for world, spec in network.world_specs.items():
        now = get_world(world).spec
        assert (spec.parameter_names, spec.shock_names) == (now.parameter_names, now.shock_names)
        assert torch.isfinite(network.network(torch.tensor(spec.theta()), world)).all()
