"""`emulator calibrate`: from a finished run to a checkpoint that knows its own errors."""

import dataclasses

import pytest
import torch

from emulator.data import DataSet, open_dataset
from emulator.data.verdicts import VERDICTS_FILE
from emulator.errors import CheckpointError, DatasetError, EmulatorError
from emulator.models import checkpoint as checkpoints
from emulator.models import load
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.models.trust import learner
from emulator.training.calibrate import _training_rows, calibrate_checkpoint

WORLDS = ["nk", "lss"]


@pytest.fixture(scope="module", autouse=True)
def short_fits():
    """What the fits are worth is tested where they live."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner, "STEPS", 60)
        yield


@pytest.fixture(scope="module")
def best(train_set, tmp_path_factory):
    """A network that knows no more than its start, in a checkpoint of the small data set."""
    data = train_set.data
    specs, statistics = (
        {w: data.spec(w) for w in WORLDS},
        {w: train_set.statistics[w] for w in WORLDS},
    )
    torch.manual_seed(0)
    model = PerWorldMLPBaseline.from_specs(specs, data.horizon, hidden_dims=[8])
    model.bind(statistics, specs)
    path = tmp_path_factory.mktemp("run") / "best.pt"
    made = checkpoints.Checkpoint(
        checkpoints.name_of(model),
        model.options,
        model.state_dict(),
        specs,
        statistics,
        {},
        data.fingerprint,
        3,
        0.5,
        data.horizon,
    )
    checkpoints.save(path, made)
    return path


@pytest.fixture(scope="module")
def calibrated(best, small_dataset):
    return calibrate_checkpoint(best, small_dataset)


def test_the_network_stays_and_its_trust_is_added(best, calibrated, small_dataset):
    place, report = calibrated
    assert place == best.with_name("calibrated.pt")
    before, after = load(best), load(place)
    theta = torch.from_numpy(open_dataset(small_dataset).read("nk", "test")[0])
    assert torch.equal(before.network(theta, "nk"), after.network(theta, "nk"))
    assert before.trust is None
    assert after.trust.half_width(theta, "nk").shape == (len(theta), 3, 41, 3)
    assert after.checkpoint.trust["report"]["worlds"] == report
    assert after.checkpoint.epoch == 3


def test_the_report_is_what_the_trust_does(calibrated, small_dataset):
    place, report = calibrated
    model, data = load(place), open_dataset(small_dataset)
    theta, truth = map(torch.from_numpy, data.read("nk", "test"))
    alive = truth.abs().amax((0, 2)) > 1e-9 * truth.abs().max()
    within = (truth - model.network(theta, "nk")).abs() <= model.trust.half_width(theta, "nk")
    row = report["nk"]["splits"]["test"]
    assert row["coverage"] == pytest.approx(float(within.double().mean(2)[:, alive].mean()))
    assert row["flagged"] == pytest.approx(float(model.trust.flagged(theta, "nk").double().mean()))
    assert row["draws"] == len(theta)
    assert set(report) == set(WORLDS)
    assert report["nk"]["splits"]["test_extrapolation_slice"]["flagged"] > 0.9, (
        "its parameter is beyond the training range"
    )


def test_determinacy_is_judged_on_verdicts_held_out(calibrated, small_dataset):
    place, report = calibrated
    theta, _ = map(torch.from_numpy, open_dataset(small_dataset).verdicts("nk"))
    assert (
        report["nk"]["determinacy"]["n"]
        == len(theta) - load(place).trust.held_out(len(theta)).start
    )
    assert load(place).trust.judges("nk")


def test_the_same_seed_gives_the_same_file(best, calibrated, small_dataset, tmp_path):
    again, _ = calibrate_checkpoint(best, small_dataset, tmp_path / "again.pt")
    assert load(again).checkpoint.sha256 == load(calibrated[0]).checkpoint.sha256


def test_other_data_are_refused(best, small_dataset, tmp_path):
    foreign = tmp_path / "foreign.pt"
    checkpoints.save(
        foreign, dataclasses.replace(checkpoints.read(best), data_fingerprint="f" * 64)
    )
    with pytest.raises(CheckpointError, match="--allow-other-data"):
        calibrate_checkpoint(foreign, small_dataset)
    assert not (tmp_path / "calibrated.pt").exists()
    assert calibrate_checkpoint(foreign, small_dataset, allow_other_data=True)[0].exists()


def test_altered_verdicts_are_refused_and_missing_ones_named(
    best, small_dataset, damaged_dataset, monkeypatch, tmp_path, capsys
):
    path = damaged_dataset / "lss" / VERDICTS_FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetError, match="altered"):
        calibrate_checkpoint(best, damaged_dataset, tmp_path / "c.pt")

    def none(*_):
        raise DatasetError("holds no verdicts")

    monkeypatch.setattr(DataSet, "verdicts", none)
    place, report = calibrate_checkpoint(best, small_dataset, tmp_path / "c.pt")
    assert "lss: the probability of determinacy stays unknown" in capsys.readouterr().out
    assert report["lss"]["determinacy"] is None
    assert not load(place).trust.judges("lss")


def test_the_range_is_that_of_the_draws_trained_on(best, small_dataset):
    trained, data = load(best), open_dataset(small_dataset)
    limited = dataclasses.replace(trained.checkpoint, config={"max_train_samples": {"nk": 30}})
    rows = _training_rows(dataclasses.replace(trained, origin=limited), data)
    assert rows["nk"].tolist() == data.rows("nk", "train")[:30].tolist()
    assert len(rows["lss"]) == len(data.rows("lss", "train"))


def test_a_link_to_itself_is_refused_before_the_work(best, small_dataset, tmp_path):
    (tmp_path / "loop.pt").symlink_to(tmp_path / "loop.pt")
    with pytest.raises(EmulatorError, match="a symbolic link that leads back to itself"):
        calibrate_checkpoint(best, small_dataset / "not there", tmp_path / "loop.pt")


def test_on_the_command_line(best, small_dataset, tmp_path, emulate):
    code, said, _ = emulate(
        "calibrate", "--checkpoint", best, "--dataset", small_dataset, "--output", tmp_path / "c.pt"
    )
    assert code == 0
    assert "Coverage" in said
    assert str(tmp_path / "c.pt") in said
    code, _, wrong = emulate(
        "calibrate", "--checkpoint", tmp_path / "none.pt", "--dataset", small_dataset
    )
    assert code == 1
    assert "does not exist" in wrong


@pytest.mark.fast
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    """Before anything is loaded: neither the checkpoint nor the data exist."""
    with pytest.raises(CheckpointError, match="is a folder"):
        calibrate_checkpoint(tmp_path / "best.pt", tmp_path / "data", tmp_path)

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # the tests may run as root
    with pytest.raises(CheckpointError, match="cannot be written"):
        calibrate_checkpoint(tmp_path / "best.pt", tmp_path / "data")
