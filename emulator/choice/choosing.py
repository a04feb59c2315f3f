"""The choice: regressions whole, networks in rounds that halve their number, the best put together,
the winner calibrated.

Successive halving: Jamieson and Talwalkar (2016, AISTATS), with processor time as the resource.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulator.choice import fitting
from emulator.choice.budget import Meter, in_words, seconds
from emulator.choice.combining import combine
from emulator.choice.curve import SHARES, LearningCurve
from emulator.choice.kinds import KINDS, STACK, Kind, asked, fits
from emulator.choice.ledger import CARD, KINDS_FOLDER, Attempt, Ledger, opened
from emulator.choice.scoring import Splits, answers_of
from emulator.console import say
from emulator.data import DataSet, open_dataset
from emulator.errors import TrainingError, TrainingInterrupted
from emulator.files import check_writable, sole_writer, sweep, write_text
from emulator.models.base import EmulatorModel
from emulator.models.trained import one_thread
from emulator.training.calibrate import Report, calibrate_checkpoint
from emulator.training.state import refuse_both

REGRESSIONS, NETWORKS, CURVE = 0.5, 0.25, 0.1
"""Shares of the budget; the rest is for scores and calibration. Where only one of the first two is
asked for, it gets both.
"""

CALIBRATED, BEST = "calibrated.pt", "best.pt"


@dataclass(frozen=True)
class Choice:
    """What was chosen: the folder that `emulator.load` reads, how kinds did, the calibration."""

    folder: Path
    ledger: Ledger
    report: Report
    curve: LearningCurve | None

    @property
    def winner(self) -> Attempt:
        return self.ledger.attempts[self.ledger.winner]


def choose(
    dataset: str | Path | DataSet,
    output: str | Path,
    kind: str | list[str] = "all",
    budget: str | float = "10m",
    *,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
) -> Choice:
    """Try kinds of emulators on a data set and leave the best in a folder, calibrated.

    dataset: with the splits train, val and test; output: for checkpoints, `choice.json` and a card;
    kind: `all`, or names as in `KINDS`; budget: processor time of this process, such as `10m`;
    resume: go on with an interrupted choice after its last finished step. Kinds are compared by
    their NRMSE on `val`. Raises `ConfigError`, `DatasetError`, and `TrainingError` where no kind
    came to an answer.
    """
    refuse_both(resume, overwrite)
    kinds = asked(kind)
    amount = seconds(budget)
    folder = Path(output)
    check_writable(folder)
    data = dataset if isinstance(dataset, DataSet) else open_dataset(dataset)
    request = {
        "data": data.fingerprint,
        "kinds": [one.name for one in kinds],
        "budget": amount,
        "seed": seed,
    }
    with sole_writer(folder), one_thread():
        ledger = opened(folder, request, resume, overwrite)
        sweep(folder)
        return _Choosing(data, folder, kinds, ledger, Meter(amount, ledger.spent), seed).run()


class _Choosing:
    """One choice while it is made."""

    def __init__(
        self,
        data: DataSet,
        folder: Path,
        kinds: list[Kind],
        ledger: Ledger,
        meter: Meter,
        seed: int,
    ) -> None:
        self.folder, self.kinds, self.ledger = folder, kinds, ledger
        self.meter, self.seed = meter, seed
        self.splits = Splits.of(data)
        self.networks: dict[str, EmulatorModel] = {}
        for one in kinds:
            ledger.attempts.setdefault(one.name, Attempt(one.name))

    def run(self) -> Choice:
        self._leave_out()
        regressions = [one for one in self.kinds if not one.trained]
        networks = [one for one in self.kinds if one.trained]
        self.ledger.trivial = self.ledger.trivial or self.splits.trivial("test")
        share = REGRESSIONS + (0.0 if networks else NETWORKS)
        self._fit_regressions(regressions, share * self.meter.budget)
        share = NETWORKS + (0.0 if regressions else REGRESSIONS)
        self._train_networks(networks, share * self.meter.budget)
        self._decide()
        curve = self._curve()
        report = self._calibrate()
        choice = Choice(self.folder, self.ledger, report, curve)
        from emulator.choice.board import card

        write_text(self.folder / CARD, card(choice, self.splits.data))
        self.ledger.finished = True
        self._save()
        return choice

    def _save(self) -> None:
        self.ledger.save(self.folder, self.meter.spent)

    def _leave_out(self) -> None:
        """Kinds that cannot be expected to work with so many draws."""
        for one in self.kinds:
            attempt = self.ledger.attempts[one.name]
            if attempt.state == "waiting" and attempt.rounds == 0:
                reason = fits(one, self.splits.specs, self.splits.n_train)
                if reason:
                    attempt.state, attempt.note = "left out", reason

    def _waiting(self, kinds: list[Kind]) -> list[Kind]:
        return [one for one in kinds if self.ledger.attempts[one.name].state == "waiting"]

    def _step(self, one: Kind, work: Callable[[], Path]) -> bool:
        """Do a step of a kind and score what it wrote; a kind that fails is noted and done with."""
        attempt = self.ledger.attempts[one.name]
        began = time.process_time()
        try:
            path = work()
            network = fitting.restored(path)
            error = self.splits.error(answers_of(network, self.splits, "val"), "val")
            if not math.isfinite(error):
                raise TrainingError("Its answers are not finite.")
            if attempt.val is None or error < attempt.val:
                attempt.val = error
                attempt.test = self.splits.error(answers_of(network, self.splits, "test"), "test")
                attempt.checkpoint = str(path.relative_to(self.folder))
                self.networks[one.name] = network
            good = True
        except TrainingInterrupted:
            raise
        except Exception as error:
            if attempt.val is None:
                attempt.state = "failed"
            attempt.note = f"{type(error).__name__}: {error}"[:300]
            good = False
        attempt.seconds += time.process_time() - began
        return good

    def _fit_regressions(self, kinds: list[Kind], budget: float) -> None:
        """Each regression in its share of the time, what an earlier one left over shared out."""
        until = self.meter.spent + budget
        waiting = self._waiting(kinds)
        for position, one in enumerate(waiting):
            rest = sum(other.share for other in waiting[position:])
            slice_ = max(0.0, until - self.meter.spent) * one.share / rest
            if slice_ <= 0.0 and self.networks:
                self._note_no_time(one)
                continue
            say(f"{one.name}: {one.title}, up to {in_words(slice_)}")
            if self._step(one, lambda one=one, slice_=slice_: self._regression(one, slice_)):  # type: ignore[misc]
                self.ledger.attempts[one.name].state = "done"
            self._save()

    def _regression(self, one: Kind, slice_: float) -> Path:
        network = fitting.fit_regression(one, self.splits, max(slice_, 1e-3), self.seed)
        path = self.folder / KINDS_FOLDER / f"{one.name}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        fitting.write(path, network, self.splits, 0.0, {"kind": one.name, "seed": self.seed})
        return path

    def _note_no_time(self, one: Kind) -> None:
        attempt = self.ledger.attempts[one.name]
        attempt.state, attempt.note = "left out", "no time was left for it"

    def _train_networks(self, kinds: list[Kind], budget: float) -> None:
        """Rounds in which every network that is left trains equally long; after each the worse half
        stops.
        """
        runners = {
            one.name: fitting.Training(
                one, self.splits, self.folder / KINDS_FOLDER / one.name, self.seed
            )
            for one in self._waiting(kinds)
        }
        if not runners:
            return
        rounds = max(1, math.ceil(math.log2(len(kinds))) + 1)
        while self.ledger.rounds < rounds and self._waiting(kinds):
            left = self._waiting(kinds)
            number = self.ledger.rounds + 1
            slice_ = budget / rounds / len(left)
            for one in left:
                attempt = self.ledger.attempts[one.name]
                if attempt.rounds >= number:
                    continue  # done before an interruption
                if attempt.checkpoint:
                    runners[one.name].last = self.folder / attempt.checkpoint
                say(f"{one.name}: {one.title}, round {number} of {rounds}, {in_words(slice_)}")
                self._step(
                    one,
                    lambda one=one: runners[one.name].go_on(f"round_{number}", slice_),  # type: ignore[misc]  # noqa: B023
                )
                attempt.rounds = number
                self._save()
            self._stop_losers(self._waiting(kinds), number == rounds)
            self.ledger.rounds = number
            self._save()

    def _stop_losers(self, left: list[Kind], last: bool) -> None:
        order = sorted(left, key=lambda one: self.ledger.attempts[one.name].val or math.inf)
        keep = len(order) if last else max(1, math.ceil(len(order) / 2))
        for position, one in enumerate(order):
            attempt = self.ledger.attempts[one.name]
            if last and attempt.val is not None:
                attempt.state = "done"
            elif position >= keep:
                attempt.state = "stopped"
                attempt.note = attempt.note or f"among the worse half after round {attempt.rounds}"

    def _decide(self) -> None:
        """The kind of lowest error on `val`, or several put together where that is lower."""
        if self.ledger.winner:
            return
        errors = {
            name: attempt.val
            for name, attempt in self.ledger.attempts.items()
            if attempt.val is not None and attempt.checkpoint
        }
        if not errors:
            reasons = "; ".join(f"{a.kind}: {a.note}" for a in self.ledger.attempts.values())
            raise TrainingError(f"No kind came to an answer. {reasons}")
        for name in errors:
            if name not in self.networks:
                path = self.folder / self.ledger.attempts[name].checkpoint
                self.networks[name] = fitting.restored(path)
        winner = min(errors, key=errors.__getitem__)
        network, error = self.networks[winner], errors[winner]
        combined = combine(self.networks, errors, self.splits)
        if combined is not None and combined[1] < error:
            stack, error, self.ledger.shares = combined
            test = self.splits.error(answers_of(stack, self.splits, "test"), "test")
            self.ledger.attempts[STACK] = Attempt(STACK, "done", 0.0, error, test)
            winner, network = STACK, stack
        made = {"kind": winner, "budget": self.meter.budget, "seed": self.seed}
        fitting.write(self.folder / BEST, network, self.splits, error, made)
        self.ledger.winner = winner
        self._save()

    def _curve(self) -> LearningCurve | None:
        """The learning curve of the best single kind, if there is time."""
        singles = [a for a in self.ledger.attempts.values() if a.kind != STACK and a.checkpoint]
        best = min(singles, key=lambda attempt: attempt.val or math.inf)
        if not self.ledger.curve and best.test:
            try:
                self._measure_curve(KINDS[best.kind], best)
            except TrainingInterrupted:
                raise
            except Exception as error:
                self.ledger.curve = {"note": f"{type(error).__name__}: {error}"[:300]}
            self._save()
        if "draws" not in self.ledger.curve:
            return None
        curve = self.ledger.curve
        return LearningCurve(curve["kind"], tuple(curve["draws"]), tuple(curve["errors"]))

    def _measure_curve(self, one: Kind, best: Attempt) -> None:
        n = self.splits.n_train
        counts = sorted({max(2, int(n * share)) for share in SHARES} - {n})
        slice_ = min(CURVE * self.meter.budget, self.meter.left) / max(1, len(counts))
        if slice_ <= 0 or n < 20:
            reason = "no time was left" if slice_ <= 0 else f"{n} training draws are too few"
            self.ledger.curve = {"note": f"The learning curve was not measured: {reason}."}
            return
        errors = []
        for draws in counts:
            if one.trained:
                folder = self.folder / KINDS_FOLDER / "curve"
                training = fitting.Training(one, self.splits, folder, self.seed, draws)
                network = fitting.restored(training.go_on(f"draws_{draws}", slice_))
            else:
                network = fitting.fit_regression(one, self.splits, slice_, self.seed, draws)
            errors.append(self.splits.error(answers_of(network, self.splits, "test"), "test"))
        self.ledger.curve = {
            "kind": one.name,
            "draws": [*counts, n],
            "errors": [*errors, best.test],
        }

    def _calibrate(self) -> Report:
        _, report = calibrate_checkpoint(
            self.folder / BEST,
            Path(str(self.splits.data.path)),
            self.folder / CALIBRATED,
            seed=self.seed,
        )
        return report
