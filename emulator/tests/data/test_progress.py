"""The progress line: draws really made, and never wider than the terminal."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from emulator import console
from emulator.tests.data.tampering import flip_byte

pytestmark = pytest.mark.fast


@pytest.fixture
def bars(monkeypatch):
    """Every task of every progress display that generation opens, as it stood at the end."""
    seen = []

    class Watched(Progress):
        def add_task(self, *args, **kwargs):
            number = super().add_task(*args, **kwargs)
            seen.append((kwargs["completed"], next(task for task in self.tasks if task.id == number)))
            return number

    monkeypatch.setattr(console, "Progress", Watched)
    return seen


def test_the_bar_counts_draws_not_whole_shards(generate_tiny, bars, tmp_path):
    generate_tiny(tmp_path / "x")
    begun_at, task = bars[0]
    assert (begun_at, task.completed, task.total) == (0, 160, 160)


def test_a_resumed_bar_starts_at_the_draws_that_are_there(generate_tiny, tiny_copy, bars):
    flip_byte(tiny_copy / "lss" / "theta" / "c" / "2" / "0")
    generate_tiny(tiny_copy)
    begun_at, task = bars[0]
    assert (begun_at, task.completed, task.total) == (144, 160, 160)


@pytest.fixture(params=[60, 80, 120])
def terminal(request, monkeypatch):
    """A console of some width that writes into memory."""
    file = io.StringIO()
    monkeypatch.setattr(console, "err", Console(file=file, width=request.param, force_terminal=False))
    return file, request.param


@pytest.mark.parametrize(
    ("name", "unit", "total", "note"),
    [
        ("solving", "draws", 3_000_000, "var, shard 1464"),
        ("validating", "worlds", 3, "lss"),
        ("training", "steps", 23_400, "epoch 12/100 train 0.01234 val 0.01234 best 0.01234"),
        ("scoring", "scores", 15, ""),
    ],
)
def test_the_line_fits_the_terminal_and_shows_bar_count_rate_and_time(terminal, name, unit, total, note):
    file, width = terminal
    with console.progress() as display:
        task = display.add_task(name, total=total, unit=unit, note="")
        display.update(task, completed=total / 3)
        display.update(task, completed=total, note=note)
    lines = file.getvalue().splitlines()
    assert len(lines) == 1
    assert len(lines[0]) <= width
    if width >= 80:
        assert lines[0].startswith(f"{name} ━━")
        assert f"{total}/{total}" in lines[0]
        assert f" {unit}/s" in lines[0]
        assert note[:10] in lines[0]
    assert note in lines[0] or width < 120


def test_time_left_is_said_while_the_work_goes_on(terminal):
    file, _ = terminal
    with console.progress() as display:
        display.add_task("solving", total=10, unit="draws", note="nk, shard 0")
    assert " left" in file.getvalue()
    assert len(file.getvalue().splitlines()) == 1


def test_generation_reports_the_world_it_works_on(generate_tiny, bars, tmp_path):
    generate_tiny(tmp_path / "x")
    assert bars[0][1].fields["note"] == "lss, shard 2"
