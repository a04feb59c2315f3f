"""A network and a data set that observe different things are compared by what both observe."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from emulator.data import DataSet
from emulator.errors import EvaluationError
from emulator.eval import Evaluation, Request, evaluate_network, figures, report, results, tables
from emulator.eval.alignment import Alignment
from emulator.eval.scores import ALL
from emulator.leaderboard.board import collect, write
from emulator.models.trained import TrainedNetwork
from emulator.spec import Observable, WorldSpec
from emulator.tests.eval.stand_ins import Solver, solver


class Narrow(Solver):
    """The exact solution of some observables of `nk`, in an order of its own, and of one more that
    no data hold.
    """

    def __init__(self, data: DataSet, names: tuple[str, ...]) -> None:
        super().__init__(data)
        spec = data.spec("nk")
        self.columns = [spec.observable_index(name) for name in names]
        extra = Observable(name="hours", tex="h", unit="percent", meaning="hours")
        observables = (extra, *spec.observing(names).observables)
        self.world_specs = {"nk": spec.model_copy(update={"observables": observables})}

    def forward(
        self, theta: torch.Tensor, world_id: str, horizon: int | None = None
    ) -> torch.Tensor:
        irf = super().forward(theta, world_id, horizon)[..., self.columns]
        return torch.cat([torch.full_like(irf[..., :1], 7.0), irf], dim=-1)


class Band:
    """Trust of a network of three observables: the half width of each is its position."""

    def half_width(self, theta: torch.Tensor, world: str) -> torch.Tensor:
        return torch.arange(3.0).expand(len(theta), 3, 13, 3)

    def flagged(
        self, theta: torch.Tensor, world: str, placed: torch.Tensor | None = None
    ) -> torch.Tensor:
        return torch.zeros(len(theta), dtype=torch.bool)

    def judges(self, world: str) -> bool:
        return False


def evaluated(data: DataSet, *names: str) -> tuple[Evaluation, Request]:
    module = Narrow(data, names)
    trained = TrainedNetwork(module, Band(), module.origin)
    request = Request(checkpoint=Path("runs/narrow/best.pt"), dataset=data.path, bootstrap=0)
    return evaluate_network(trained, data, request), request


@pytest.fixture(scope="module")
def narrow(data: DataSet) -> Evaluation:
    return evaluated(data, "rate", "output")[0]


def test_shared_observables_are_scored_by_name(narrow: Evaluation) -> None:
    rows = narrow.scores[
        (narrow.scores["predictor"] == "network") & (narrow.scores["metric"] == "nrmse")
    ]
    assert set(rows["observable"]) == {"output", "rate", ALL}
    assert rows["value"].max() < 1e-5  # by position it would be of the order of 1
    assert narrow.trust["width"].iloc[0] > 1.0  # half widths of rate and output, not of hours


def test_what_is_left_out_is_named_in_output_report_and_results(
    narrow: Evaluation, tmp_path: Path
) -> None:
    reasons = {
        "the network does not know them": ["inflation"],
        "the data do not hold them": ["hours"],
    }
    assert narrow.worlds["nk"]["left_out"] == reasons
    warnings = tables.warnings_of(narrow)
    assert warnings[0] == (
        "nk: not scored, since the network does not know them: inflation. Scores are those of"
        " output, rate."
    )
    results.write(narrow, tmp_path / "narrow")
    assert results.read(tmp_path / "narrow" / results.FILE)["worlds"]["nk"]["left_out"] == reasons
    assert "does not know them: inflation" in report.render(narrow, figures.draw_all(narrow))
    board = collect(tmp_path)
    paths = write(board, tmp_path)
    assert "(without hours, inflation)" in paths[0].read_text()
    assert "left_out" in paths[1].read_text().splitlines()[0]


def test_results_of_a_network_that_knows_all_say_nothing_of_it(
    data: DataSet, tmp_path: Path
) -> None:
    request = Request(
        checkpoint=Path("runs/all/best.pt"), dataset=data.path, worlds=("nk",), bootstrap=0
    )
    results.write(evaluate_network(solver(data), data, request), tmp_path / "all")
    assert set(results.read(tmp_path / "all" / results.FILE)["worlds"]["nk"]) == {
        "title",
        "units",
        "n_train",
    }
    write(collect(tmp_path), tmp_path)
    assert "left_out" not in (tmp_path / "leaderboard.csv").read_text()


def test_a_network_that_shares_no_observable_is_refused(data: DataSet) -> None:
    with pytest.raises(EvaluationError, match="None is in both"):
        evaluated(data)


@pytest.mark.parametrize(
    ("change", "said"), [({"unit": "index"}, "units are"), ({"frequency": "month"}, "period are")]
)
def test_another_unit_or_period_is_refused(data: DataSet, change: dict, said: str) -> None:
    module = Narrow(data, ("rate", "output"))
    spec = module.world_specs["nk"]
    if "unit" in change:
        hours, rate, output = spec.observables
        change = {"observables": (hours, rate.model_copy(update=change), output)}
    module.world_specs["nk"] = spec.model_copy(update=change)
    request = Request(checkpoint=Path("runs/narrow/best.pt"), dataset=data.path, bootstrap=0)
    with pytest.raises(EvaluationError, match=said):
        evaluate_network(TrainedNetwork(module, origin=module.origin), data, request)


def many(spec: WorldSpec, n: int) -> WorldSpec:
    first = spec.observables[0]
    return spec.model_copy(
        update={
            "observables": tuple(
                first.model_copy(update={"name": f"y{k}", "unit": f"unit {k}"}) for k in range(n)
            ),
            "frequency": "month",
        }
    )


@pytest.mark.parametrize("n", [1, 7])
def test_figures_have_a_panel_an_observable_with_its_unit(data: DataSet, n: int) -> None:
    rng, spec = np.random.default_rng(0), many(data.spec("nk"), n)
    truth = rng.normal(size=(240, spec.n_shocks, 13, n))
    specs = {"nk": spec, "lss": data.spec("lss")}

    class Wide(Solver):
        def __init__(self) -> None:
            super().__init__(data)
            self.world_specs = specs

        def forward(self, theta: torch.Tensor, world_id: str, horizon: int | None = None):
            if world_id == "lss":
                return super().forward(theta, world_id, horizon)
            return torch.zeros(len(theta), *truth.shape[1:])

    def read(world: str, split: str) -> tuple[np.ndarray, np.ndarray]:
        theta, irf = data.read(world, split)
        return theta, (truth[: len(irf)] if world == "nk" else irf)

    module = Wide()
    doctored = SimpleNamespace(
        spec=specs.__getitem__,
        read=read,
        worlds=data.worlds,
        splits=data.splits,
        fingerprint=data.fingerprint,
        path=data.path,
        horizon=data.horizon,
        world=data.world,
    )
    request = Request(Path("runs/wide/best.pt"), data.path, splits=("test",), bootstrap=0)
    evaluation = evaluate_network(TrainedNetwork(module, origin=module.origin), doctored, request)
    shown = figures.responses(evaluation.examples["nk"])
    titles = [axes.get_title(loc="center") for axes in shown.axes if axes.get_title(loc="center")]
    assert titles == 3 * [f"y{k}\n(unit {k})" for k in range(n)]
    assert {axes.get_xlabel() for axes in shown.axes} - {""} == {"months after the shock"}
    worst = figures.worst(evaluation)
    assert sum(axes.get_visible() for axes in worst.axes) == n + 3
    labels = {axes.get_xlabel() for axes in worst.axes} - {""}
    assert "quarters after the shock" in labels
    assert figures.horizons(evaluation).axes[-1].get_xlabel() == "horizon (periods after the shock)"
    assert list(tables.responses(evaluation, "nk", "test").columns[1:]) == list(
        spec.observable_names
    )


def test_nothing_is_copied_where_both_observe_the_same(data: DataSet) -> None:
    spec, values = data.spec("nk"), np.zeros((2, 3, 4, 3))
    same = Alignment(spec, spec)
    assert same.of_data(values) is values
    assert same.left_out == {}


def test_what_is_taken_lies_in_memory_as_if_it_had_never_been_more(data: DataSet) -> None:
    """Else sums over it have other last bits, and scores of a network differ by what it lacks."""
    spec, values = data.spec("nk"), np.zeros((2, 3, 4, 3))
    assert Alignment(spec.observing(("rate", "output")), spec).of_data(values).flags.c_contiguous
