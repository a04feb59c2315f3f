"""Draws that were solved elsewhere, as arrays: a data set as any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.data import Fractions, import_draws, validate_dataset
from emulator.data.importing import given as blockwise
from emulator.data.importing import write
from emulator.data.importing.spec import shared_parameters
from emulator.data.splits import CORNER, SLICE
from emulator.errors import DatasetError, UnknownNameError
from emulator.spec import IRF_AXES, UNKNOWN_UNIT, Status
from emulator.tests.data.drawn import NAMES, Drawn, drawn, imported, plain_card, rows_of

pytestmark = [pytest.mark.fast, pytest.mark.usefixtures("plain_card")]

__all__ = ["plain_card"]


def test_imported_draws_are_a_data_set_as_any_other(tmp_path: Path) -> None:
    theta, irf = drawn()
    data = imported(tmp_path / "mine", units={"sales": "percent"}, frequency="month")
    spec = data.spec("mine")
    assert data.worlds == ["mine"]
    assert (spec.parameter_names, spec.shock_names, spec.observable_names) == tuple(NAMES.values())
    assert spec.observable_units == ("percent", *3 * [UNKNOWN_UNIT])
    assert spec.frequency == "month"
    assert not spec.linear
    np.testing.assert_array_equal(spec.low, theta.astype(np.float32).min(axis=0))
    np.testing.assert_array_equal(spec.high, theta.astype(np.float32).max(axis=0))
    stored_theta, stored_irf = rows_of(data)
    np.testing.assert_array_equal(stored_theta, theta.astype(np.float32))
    np.testing.assert_array_equal(stored_irf, irf.astype(np.float32))
    assert all(len(rows) for rows in data.splits("mine").values())
    assert validate_dataset(tmp_path / "mine") == []
    assert xr.open_zarr(tmp_path / "mine" / "mine", chunks=None).irfs.dims == IRF_AXES
    text = (tmp_path / "mine" / "README.md").read_text()
    assert "were solved elsewhere" in text
    assert "cannot be solved again here" in text


def test_the_same_draws_have_the_same_fingerprint(tmp_path: Path) -> None:
    first, again = imported(tmp_path / "a" / "mine"), imported(tmp_path / "b" / "mine")
    other = imported(tmp_path / "c" / "mine", seed=1)
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_held_out_regions_lie_where_the_strongest_parameters_are_high(tmp_path: Path) -> None:
    data = imported(tmp_path / "mine", drawn(200))
    strongest = data.spec("mine").extrapolation
    assert strongest.slice_parameters == ("persistence",) or strongest.slice_parameters == (
        "impact",
    )
    theta, _ = rows_of(data)
    splits = data.splits("mine")
    assert len(splits[CORNER]) == 10
    column = NAMES["parameters"].index(strongest.slice_parameters[0])
    inside = theta[splits[SLICE], column]
    outside = theta[np.concatenate([splits["train"], splits["val"], splits["test"]]), column]
    assert inside.min() > outside.max()


def test_held_out_regions_are_named_by_choice(tmp_path: Path) -> None:
    data = imported(
        tmp_path / "mine", slice_parameters=["share"], corner_parameters=["impact", "persistence"]
    )
    regions = data.world("mine").regions
    assert [c.parameter for c in regions[SLICE].all_of] == ["share"]
    assert [c.parameter for c in regions[CORNER].all_of] == ["impact", "persistence"]
    assert validate_dataset(tmp_path / "mine") == []
    with pytest.raises(DatasetError, match=r"'shares'.*Did you mean 'share'"):
        imported(tmp_path / "other", slice_parameters=["shares"])


def test_the_corner_holds_its_share_where_parameters_move_against_each_other(
    tmp_path: Path,
) -> None:
    theta, irf = drawn(200)
    theta[:, 2] = 1.0 - theta[:, 1]
    data = imported(
        tmp_path / "mine", Drawn(theta, irf), corner_parameters=["impact", "share"], seed=1
    )
    assert len(data.splits("mine")[CORNER]) == 10


def test_draws_without_a_solution_are_kept_apart(tmp_path: Path) -> None:
    theta, irf = drawn(80)
    irf[[3, 50]] = np.nan
    data = imported(tmp_path / "mine", Drawn(theta, irf))
    stored, _ = rows_of(data)
    np.testing.assert_array_equal(stored, np.delete(theta, [3, 50], axis=0).astype(np.float32))
    draws, status = data.verdicts("mine")
    assert len(draws) == 80
    failed = draws[status != Status.OK]
    assert sorted(map(tuple, failed)) == sorted(map(tuple, theta[[3, 50]].astype(np.float32)))
    assert data.world("mine").rejections == {"not_converged": 2}
    assert validate_dataset(tmp_path / "mine") == []


@pytest.mark.parametrize(
    "status",
    [
        [0, 1, 2] + 57 * [0],
        ["ok", "indeterminate", "explosive"] + 57 * ["OK"],
        [0.0, 1.0, 2.0] + 57 * [0.0],
    ],
)
def test_a_status_says_why_a_draw_failed(tmp_path: Path, status: list) -> None:
    data = imported(tmp_path / "mine", status=status)
    assert data.world("mine").rejections == {"explosive": 1, "indeterminate": 1}
    assert data.manifest.request.size("mine") == 58


def test_without_failed_draws_nothing_says_where_there_is_no_solution(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="imported without a draw that failed"):
        imported(tmp_path / "mine").verdicts("mine")


def test_an_imported_world_has_no_solver(tmp_path: Path) -> None:
    request = imported(tmp_path / "mine").manifest.request
    with pytest.raises(DatasetError, match="no solver here"):
        request.world("mine")


def test_tables_and_labelled_arrays_bring_their_names(tmp_path: Path) -> None:
    theta, irf = drawn()
    labelled = xr.DataArray(
        irf.transpose(3, 0, 2, 1),
        dims=("observable", "draw", "horizon", "shock"),
        coords={"observable": list(NAMES["observables"]), "shock": list(NAMES["shocks"])},
    )
    frame = pd.DataFrame(theta, columns=list(NAMES["parameters"]))
    data = import_draws(frame, labelled, output=tmp_path / "mine")
    np.testing.assert_array_equal(rows_of(data)[1], irf.astype(np.float32))


@pytest.mark.parametrize("axes", [("horizon", "shock", "sample", "observable"), IRF_AXES])
def test_named_axes_decide(tmp_path: Path, axes: tuple[str, ...]) -> None:
    theta, irf = drawn()
    order = [IRF_AXES.index(name) for name in axes]
    data = imported(tmp_path / "mine", Drawn(theta, irf.transpose(order)), axes=axes)
    np.testing.assert_array_equal(rows_of(data)[1], irf.astype(np.float32))


def test_an_axis_of_one_may_be_left_out_where_the_others_are_named(tmp_path: Path) -> None:
    theta, irf = drawn()
    data = imported(
        tmp_path / "mine",
        Drawn(theta, irf[:, 0]),
        shocks=["demand"],
        axes=("sample", "horizon", "observable"),
    )
    np.testing.assert_array_equal(rows_of(data)[1], irf[:, :1].astype(np.float32))
    with pytest.raises(DatasetError, match="Only an axis of length one can be left out"):
        imported(
            tmp_path / "two", Drawn(theta, irf[:, 0]), axes=("sample", "horizon", "observable")
        )


def test_axes_of_length_one_are_not_told_apart(tmp_path: Path) -> None:
    theta, irf = drawn()
    single = Drawn(theta, irf[:, :1, :, :1])
    data = imported(tmp_path / "mine", single, shocks=["demand"], observables=["sales"])
    np.testing.assert_array_equal(rows_of(data)[1], single.irf.astype(np.float32))
    with pytest.raises(DatasetError, match="There is 1 draw"):
        imported(tmp_path / "one", drawn(1))


def test_twenty_draws_are_enough(tmp_path: Path) -> None:
    data = imported(tmp_path / "mine", drawn(20))
    assert min(len(rows) for rows in data.splits("mine").values()) == 1
    assert validate_dataset(tmp_path / "mine") == []


def test_many_draws_are_read_and_written_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theta, irf = drawn(500)
    irf[::7] = np.nan
    for module in (blockwise, write):
        monkeypatch.setattr(module, "BLOCK_BYTES", 40 * irf[0].size * 4)
    widest = []

    class Watched(blockwise.ArrayResponses):
        def read(self, start: int, stop: int) -> np.ndarray:
            widest.append(stop - start)
            return super().read(start, stop)

    monkeypatch.setattr("emulator.data.importing.arrays.ArrayResponses", Watched)
    data = imported(tmp_path / "mine", Drawn(theta, irf))
    assert max(widest) == 40
    assert {record.stop - record.start for record in data.world("mine").shards[:-1]} == {40}
    kept = np.isfinite(irf).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(rows_of(data)[1], irf[kept].astype(np.float32))
    assert validate_dataset(tmp_path / "mine") == []


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    n=st.integers(20, 45),
    sizes=st.tuples(*(st.integers(1, 4) for _ in range(3)), st.integers(2, 6)),
    seed=st.integers(0, 2**32 - 1),
    order=st.permutations(IRF_AXES),
    failed=st.integers(0, 5),
)
def test_draws_of_any_shape_come_back_as_they_were_given(
    tmp_path_factory: pytest.TempPathFactory,
    n: int,
    sizes: tuple[int, ...],
    seed: int,
    order: list[str],
    failed: int,
) -> None:
    n_parameters, n_shocks, n_observables, periods = sizes
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(n + failed, n_parameters))
    irf = rng.normal(size=(n + failed, n_shocks, periods, n_observables))
    rows = rng.permutation(n + failed)[:failed]
    irf[rows] = np.nan
    data = import_draws(
        theta,
        irf.transpose([IRF_AXES.index(name) for name in order]),
        parameters=[f"p{k}" for k in range(n_parameters)],
        shocks=[f"s{k}" for k in range(n_shocks)],
        observables=[f"o{k}" for k in range(n_observables)],
        axes=order,
        seed=seed,
        fractions=Fractions(val=0.2),
        output=tmp_path_factory.mktemp("drawn") / "mine",
    )
    stored_theta, stored_irf = rows_of(data)
    np.testing.assert_array_equal(stored_theta, np.delete(theta, rows, 0).astype(np.float32))
    np.testing.assert_array_equal(stored_irf, np.delete(irf, rows, 0).astype(np.float32))


def in_families(n: int = 60) -> Drawn:
    """Draws of which three each share the persistence."""
    theta, irf = drawn(n)
    theta[:, 0] = np.repeat(theta[: n // 3, 0], 3)
    return Drawn(theta, irf)


def test_draws_that_share_a_dear_part_stay_in_one_split(tmp_path: Path) -> None:
    data = imported(
        tmp_path / "mine",
        in_families(),
        together=["persistence"],
        slice_parameters=["impact"],
        corner_parameters=["share"],
    )
    theta, splits = data.theta("mine")[:, 0], data.splits("mine")
    inner = [set(theta[splits[name]]) for name in ("train", "val", "test")]
    assert sum(map(len, inner)) == len(set.union(*inner))
    assert validate_dataset(tmp_path / "mine") == []
    with pytest.raises(DatasetError, match="No two draws have the same impact"):
        imported(tmp_path / "other", together=["impact"])
    with pytest.raises(UnknownNameError, match="Unknown parameter"):
        imported(tmp_path / "other", together=["impacts"])


def test_shared_parameters_are_seen() -> None:
    names = NAMES["parameters"]
    assert shared_parameters(names, in_families().theta) == ["persistence"]
    assert shared_parameters(names, drawn().theta) == []
    grid = np.stack(np.meshgrid(*3 * [np.arange(4.0)]), axis=-1).reshape(-1, 3)
    assert shared_parameters(names, grid) == []
