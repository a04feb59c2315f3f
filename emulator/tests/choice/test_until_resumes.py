"""A drawing that was interrupted goes on; what it made is solved again by its world."""

import numpy as np
import pytest

from emulator.choice import committee, scoring, until
from emulator.choice.until import draw_until
from emulator.data import Fractions, card, generate_dataset, open_dataset, validate_dataset
from emulator.errors import DatasetError
from emulator.tests.choice.test_until import quick
from emulator.tests.data.tampering import forge_checksums, write_array
from emulator.worlds import Simulator, get_world, registry

pytestmark = pytest.mark.fast

__all__ = ["quick"]

REQUEST = {"most": 200, "horizon": 6, "choose": True}


class Killed(KeyboardInterrupt):
    """The process ends here."""


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


def fade(calls, last=10**9):
    """A world of one draw at a time that counts its calls, and is killed at the last one."""

    def solve(theta):
        if len(calls) == last:
            raise Killed
        calls.append(tuple(theta))
        return (theta[1] * theta[0] ** np.arange(7))[None, :, None]

    return Simulator(
        solve,
        parameters={"rho": (0.1, 0.9), "size": (1, 2)},
        shocks=["e"],
        observables={"sales": "percent"},
        name="fade",
        horizon=6,
        batched=False,
    )


def fixed(monkeypatch, *errors):
    """Rounds whose error does not depend on the seconds that fits were given."""
    rest = iter(errors or (0.5, 0.4, 0.001))
    monkeypatch.setattr(committee.Committee, "error", property(lambda self: next(rest)))
    monkeypatch.setattr(
        until, "chosen", lambda world, networks, splits, pool, n, rng: world.propose(n, rng)
    )


def test_a_killed_drawing_goes_on_and_solves_no_draw_twice(tmp_path, monkeypatch):
    fixed(monkeypatch)
    whole = []
    expected = draw_until(fade(whole), 0.01, tmp_path / "whole", **REQUEST)
    fixed(monkeypatch)
    first, rest = [], []
    with pytest.raises(Killed):
        draw_until(fade(first, 130), 0.01, tmp_path / "data", **REQUEST)
    with pytest.raises(DatasetError, match=r"interrupted\. Run that command again"):
        generate_dataset(tmp_path / "data", [fade([])], 40)
    outcome = draw_until(fade(rest), 0.01, tmp_path / "data", **REQUEST)
    assert outcome.rounds == expected.rounds
    assert outcome.data.fingerprint == expected.data.fingerprint
    assert len(first) + len(rest) <= len(whole) + until.PART
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(
        path.name for path in (tmp_path / "whole").iterdir()
    )


def test_draws_of_another_request_are_kept_unless_told(tmp_path, monkeypatch):
    fixed(monkeypatch)
    with pytest.raises(Killed):
        draw_until(fade([], 40), 0.01, tmp_path / "data", **REQUEST)
    with pytest.raises(DatasetError, match=r"until: there 0\.01, asked 0\.02.*--overwrite"):
        draw_until(fade([]), 0.02, tmp_path / "data", **REQUEST)
    (tmp_path / "data" / ".until" / "first_from_0.npz").write_bytes(b"torn")
    with pytest.raises(DatasetError, match=r"first_from_0\.npz cannot be read"):
        draw_until(fade([]), 0.01, tmp_path / "data", **REQUEST)
    assert draw_until(fade([]), 0.02, tmp_path / "data", overwrite=True, **REQUEST).data


def test_a_finished_drawing_is_opened_and_not_done_again(tmp_path):
    world = get_world("nk")
    request = {"most": 200, "horizon": 6}
    first = draw_until(world, 0.99, tmp_path / "data", **request)
    again = draw_until(world, 0.99, tmp_path / "data", **request)
    assert (again.rounds, again.reached, again.reason) == (
        first.rounds,
        first.reached,
        first.reason,
    )
    assert again.data.fingerprint == first.data.fingerprint
    with pytest.raises(DatasetError, match="holds a data set already"):
        draw_until(world, 0.98, tmp_path / "data", **request)


def test_the_data_say_what_they_are_and_are_solved_again(tmp_path, emulate):
    world = get_world("nk")
    outcome = draw_until(world, 0.99, tmp_path / "data", most=200, horizon=6)
    request = open_dataset(tmp_path / "data").manifest.request
    assert not request.imported
    assert request.until["nk"].error == 0.99
    assert list(request.until["nk"].rounds) == outcome.rounds
    assert request.world("nk") is world
    command = card.command(request)
    assert command.startswith("emulator generate --world nk --n_samples 200 --seed 42 --horizon 6")
    assert "--until 0.99" in command
    text = (tmp_path / "data" / "README.md").read_text()
    assert "Drawn until an emulator of the draws had an NRMSE of 0.99" in text
    assert "elsewhere" not in text
    code, out, said = emulate("validate", "--dataset", tmp_path / "data")
    assert code == 0, said
    assert "a sample of solutions agree" in " ".join(out.split())

    def forge(values):
        values += 1.0

    write_array(tmp_path / "data", "nk", "irfs", forge)
    forge_checksums(tmp_path / "data")
    whats = [finding.what for finding in validate_dataset(tmp_path / "data")]
    assert any("rows solved again differ" in what for what in whats)


def test_few_draws_are_enough_to_train_on_as_the_command_proposes(tmp_path, monkeypatch):
    fixed(monkeypatch, 0.001)
    outcome = draw_until(fade([]), 0.01, tmp_path / "data", **REQUEST)
    assert sum(map(len, outcome.data.splits("fade").values())) == 85
    assert len(outcome.data.rows("fade", "val")) >= scoring.LEAST_VAL
    again = draw_until(fade([], 1), 0.01, tmp_path / "data", **REQUEST)
    assert again.data.fingerprint == outcome.data.fingerprint
    own = Fractions(val=0.3)
    fixed(monkeypatch, 0.001)
    other = draw_until(fade([]), 0.01, tmp_path / "other", fractions=own, **REQUEST)
    assert other.data.manifest.request.fractions == own


def test_a_world_that_is_not_here_is_no_damage(tmp_path, monkeypatch, emulate):
    fixed(monkeypatch, 0.001)
    draw_until(fade([]), 0.01, tmp_path / "data", **REQUEST)
    monkeypatch.setattr(registry, "_registered", {})
    code, out, error = emulate("validate", "--dataset", tmp_path / "data")
    assert code == 1
    assert "is not installed here" in out
    assert "splits of" in error
    assert "Name the file of the world with --world" in error
    assert "damaged" not in error


@pytest.mark.checkout
def test_a_mod_file_is_kept_with_its_draws(tmp_path, monkeypatch):
    fixed(monkeypatch, 0.5)
    draw_until("examples/hybrid_nk.mod", 0.99, tmp_path / "data", most=200, horizon=6)
    request = open_dataset(tmp_path / "data").manifest.request
    assert "hybrid_nk" in request.sources
    assert validate_dataset(tmp_path / "data") == []


def test_an_object_store_holds_draws_and_data(tmp_path, monkeypatch):
    import fsspec

    memory = fsspec.filesystem("memory")
    fixed(monkeypatch)
    try:
        with pytest.raises(Killed):
            draw_until(fade([], 70), 0.01, "memory://until/data", **REQUEST)
        rest = []
        outcome = draw_until(fade(rest), 0.01, "memory://until/data", **REQUEST)
        assert len(rest) < outcome.data.manifest.request.until["fade"].draws
        assert not memory.exists("/until/data/.until")
        assert validate_dataset("memory://until/data") == []
    finally:
        memory.rm("/until", recursive=True)


def test_the_command_says_how_it_goes_on(tmp_path, monkeypatch, emulate):
    def killed(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(until, "drawn", killed)
    options = ("--world", "nk", "--until", "0.1", "--output", tmp_path / "data")
    code, _, said = emulate("generate", *options)
    assert code != 0
    assert "are kept: run the same command again to resume" in " ".join(said.split())
