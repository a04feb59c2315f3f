"""The progress line: draws really made, and never wider than the terminal."""

import io
from datetime import timedelta
from queue import SimpleQueue

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

from emulator import progress
from emulator.data import executors, generate_dataset
from emulator.data.meter import Meter
from emulator.data.schema import Request
from emulator.tests.data.tampering import flip_byte
from emulator.tests.worlds.shop import one, shop
from emulator.worlds import calls, registry

pytestmark = pytest.mark.fast


@pytest.fixture
def bars(monkeypatch):
    """Every task of every progress display that generation opens, as it stood at the end."""
    seen = []

    class Watched(Progress):
        def add_task(self, *args, **kwargs):
            number = super().add_task(*args, **kwargs)
            seen.append(
                (kwargs["completed"], next(task for task in self.tasks if task.id == number))
            )
            return number

    monkeypatch.setattr(progress, "Progress", Watched)
    return seen


def stand(bars):
    """Draws that were there at the start, at the end, and in all, of each bar."""
    return {task.description: (begun_at, task.completed, task.total) for begun_at, task in bars}


def test_each_world_has_a_bar_that_counts_draws_not_whole_shards(generate_tiny, bars, tmp_path):
    generate_tiny(tmp_path / "x")
    assert stand(bars) == {
        "nk": (0, 80, 80),
        "lss": (0, 80, 80),
        "nk, verdicts": (0, 80, 80),
        "lss, verdicts": (0, 80, 80),
    }


def test_bars_count_the_draws_of_their_own_world(generate_tiny, bars, tmp_path):
    generate_tiny(tmp_path / "x", samples={"lss": 40}, verdicts=30)
    assert stand(bars) == {
        "nk": (0, 80, 80),
        "lss": (0, 40, 40),
        "nk, verdicts": (0, 30, 30),
        "lss, verdicts": (0, 30, 30),
    }


def test_a_resumed_bar_starts_at_the_draws_that_are_there(generate_tiny, tiny_copy, bars):
    flip_byte(tiny_copy / "lss" / "theta" / "c" / "2" / "0")
    generate_tiny(tiny_copy)
    assert stand(bars) == {"nk": (80, 80, 80), "lss": (64, 80, 80)}


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand, for rich and for us."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("seconds", [0.01, 300.0])
def test_rate_and_time_left_are_right_for_quick_shards_and_for_slow_ones(clock, seconds):
    request = Request(
        worlds=("nk", "lss"),
        specs_sha256={},
        n_samples=100,
        seed=0,
        chunk=20,
        shard=20,
        made_by="test",
    )
    tasks = [("nk", shard) for shard in (1, 2, 3, 4)] + [
        ("lss", shard) for shard in range(5)
    ]  # a shard of nk was there
    line, left = progress.RateColumn(), progress.TimeColumn()
    with Progress(
        console=Console(file=io.StringIO()), get_time=lambda: clock[0], auto_refresh=False
    ) as display:
        meter, (nk, lss) = Meter(display, request, tasks), display.tasks
        assert (nk.completed, lss.completed) == (20, 0)
        for done, task in enumerate(tasks[:3], start=1):
            meter.begin(task)
            clock[0] += seconds
            if done == 1:
                assert left.render(nk).plain == f"{timedelta(seconds=round(seconds))} so far"
            meter.finish(task)
            assert line.render(nk).plain.removesuffix(" draws/s") in (
                f"{20 / seconds:,.0f}",
                f"{20 / seconds:.3g}",
            )
            assert left.render(nk).plain == f"{timedelta(seconds=round((4 - done) * seconds))} left"
        clock[0] += seconds / 2
        assert left.render(nk).plain == f"{timedelta(seconds=round(seconds / 2))} left"
        assert left.render(lss).plain == line.render(lss).plain == ""
        assert nk.fields["note"] == "shard 4 of 5"
    assert (nk.completed, lss.completed) == (80, 0)


def test_draws_of_a_slow_function_are_counted_as_they_are_answered(bars, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    seen = []

    def slow(theta):
        seen.append([task.completed for _, task in bars])
        return one(theta)

    def walk(theta, shocks):
        seen.append([task.completed for _, task in bars])
        return np.zeros((len(shocks), 5))

    world = shop(slow, batched=False, simulate=walk)
    generate_dataset(
        tmp_path / "x", [world], 60, periods=4, verdicts=20, chunk=30, shard=30, horizon=24
    )
    generation = [counts[0] for counts in seen if len(counts) == 1]
    verdicts = [counts[1] for counts in seen if len(counts) == 2]
    assert generation == sorted(generation)
    assert len(set(generation)) == 120
    assert generation[30] == 15  # each draw is half done when it has responses and no path
    assert verdicts == list(range(20))
    assert [task.completed for _, task in bars] == [60, 20]


def test_processes_say_now_and_then_how_far_they_are(monkeypatch, clock):
    queue = SimpleQueue()
    monkeypatch.setattr(executors._Worker, "queue", queue)

    def make(job, world, shard):
        for _ in range(5):
            clock[0] += 0.3
            calls._tell(2, 1)
        return "record"

    monkeypatch.setattr(executors, "perform", make)
    told = []
    engine = executors.Engine(executors._Inline(), 1, lambda: 1, queue)
    tasks = executors.make_shards(
        engine, None, [("shop", 3)], lambda task: None, lambda *news: told.append(news)
    )
    assert list(tasks) == [(("shop", 3), "record")]
    assert (("shop", 3), 4) in told


@pytest.fixture(params=[60, 80, 120])
def terminal(request, monkeypatch):
    """A console of some width that writes into memory."""
    file = io.StringIO()
    monkeypatch.setattr(
        progress, "err", Console(file=file, width=request.param, force_terminal=False)
    )
    return file, request.param


@pytest.mark.parametrize(
    ("name", "unit", "total", "note"),
    [
        ("hank", "draws", 3_000_000, "shard 1464 of 1465"),
        ("validating", "worlds", 3, "lss"),
        ("training", "steps", 23_400, "epoch 12/100 train 0.01234 val 0.01234 best 0.01234"),
        ("scoring", "scores", 15, ""),
    ],
)
def test_the_line_fits_the_terminal_and_shows_bar_count_rate_and_time(
    terminal, name, unit, total, note
):
    file, width = terminal
    with progress.progress() as display:
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
    with progress.progress() as display:
        display.add_task("solving", total=10, unit="draws", note="nk, shard 0")
    assert " left" in file.getvalue()
    assert len(file.getvalue().splitlines()) == 1


def test_the_note_says_which_shard_is_done(generate_tiny, bars, tmp_path):
    generate_tiny(tmp_path / "x", verdicts=0)
    assert [task.fields["note"] for _, task in bars] == ["shard 3 of 3", "shard 3 of 3"]
