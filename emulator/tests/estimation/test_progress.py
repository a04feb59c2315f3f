"""The line shown while a posterior is sampled: what is done, how fast, how long still; and how many
draws were answered for.
"""

import io

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

from emulator import progress
from emulator.estimation.density import Criterion, Density
from emulator.estimation.meter import Meter
from emulator.estimation.nuts import sample
from emulator.estimation.prior import JointPrior
from emulator.estimation.smc import STEPS, sample_smc
from emulator.tests.estimation.linear import SPEC, LinearResponder, target

POWERS = (0.001, 0.012, 0.13, 1.0)
MOVES = 5
RUN = MOVES * (len(POWERS) + 1)
"""Moves of a run of these stages: the last takes twice as many."""


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand, for rich and for us."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def quiet(monkeypatch):
    """What is written where the error output is no terminal."""
    file = io.StringIO()
    monkeypatch.setattr(progress, "err", Console(file=file, width=100, force_terminal=False))
    return file


@pytest.fixture(scope="module")
def density():
    return Density(LinearResponder(), Criterion(target()), JointPrior.of(SPEC, fixed={"p3": 0.0}))


def moves_of_a_run():
    for stage, power in enumerate(POWERS, start=1):
        for left in reversed(range(MOVES * (1 if power < 1.0 else 2))):
            yield stage, power, left


@pytest.mark.fast
def test_rate_and_time_left_are_known_from_the_second_stage_on(clock):
    seconds, runs, particles = 2.0, 3, 40
    line, left_column = progress.RateColumn(), progress.TimeColumn()
    with Progress(
        console=Console(file=io.StringIO()), get_time=lambda: clock[0], auto_refresh=False
    ) as display:
        meter, (task,) = Meter(display, "line, network", runs, particles), display.tasks
        done = 0
        for run in range(runs):
            for stage, power, left in moves_of_a_run():
                clock[0] += seconds
                meter.moved(stage, power, left, MOVES)
                done += 1
                assert task.completed == done
                assert line.render(task).plain == f"{particles / seconds:.3g} draws/s"
                assert task.fields["note"] == f"run {run + 1} of {runs}, power {power:.2g}"
                if run == 0 and stage == 1:
                    assert task.total is None
                    assert left_column.render(task).plain.endswith(" so far")
                else:
                    assert task.total == runs * RUN
                    assert task.fields["due"] == pytest.approx(
                        clock[0] + seconds * (runs * RUN - done)
                    )
        assert task.finished


@pytest.mark.fast
def test_a_run_that_takes_longer_than_the_others_keeps_time_left():
    with Progress(console=Console(file=io.StringIO()), auto_refresh=False) as display:
        meter, (task,) = Meter(display, "line", 2, 10), display.tasks
        for stage, power, left in moves_of_a_run():
            meter.moved(stage, power, left, MOVES)
        for _ in range(2 * RUN):
            meter.moved(2, 0.01, 3, MOVES)
            assert task.total >= task.completed + 3
        meter.moved(3, 1.0, 0, MOVES)
        assert task.completed == task.total == 3 * RUN + 1


@pytest.mark.fast
def test_sequential_monte_carlo_counts_its_moves_and_its_draws(density, quiet):
    posterior, _ = sample_smc(density, 2, 40, seed=0)
    (line,) = quiet.getvalue().splitlines()
    moves = int(line.split("/")[0].split()[-1])
    assert line.startswith("line, linear ━")
    assert f"{moves}/{moves} " in line
    assert moves % (STEPS + 3) == 0
    assert " draws/s in 0:00:0" in line
    assert "run 2 of 2, power 1" in line
    assert posterior.attrs["evaluations"] == 40 * (moves + 2)
    slower, _ = sample_smc(density, 2, 40, seed=0, kept=0.9)
    assert slower.attrs["evaluations"] > 2 * posterior.attrs["evaluations"]


def test_nuts_counts_its_draws(density, quiet):
    sample(density, np.zeros((20, 3)), chains=2, tune=30, draws=25, seed=0)
    (line,) = quiet.getvalue().splitlines()
    assert line.startswith("line, linear ━")
    assert "110/110 " in line
    assert " draws/s in 0:00:0" in line
    assert "\x1b" not in line
