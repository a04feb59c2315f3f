"""Data of worlds with one to many observables, of any name, at any frequency."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from emulator import worlds
from emulator.data import card, generate_dataset, open_dataset, validate_dataset
from emulator.data.layout import units_text
from emulator.spec import UNKNOWN_UNIT
from emulator.tests.data.tampering import forge_checksums, write_array
from emulator.tests.data.toy import NAMES, UNITS, Toy
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

REFERENCE = Path(__file__).parents[1] / "reference" / "data_of_before"
SIZES = {"n_samples": 40, "seed": 3, "horizon": 6, "periods": 5, "chunk": 16, "shard": 32}


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Toy], None]:
    """Put a toy world into the table of worlds, in place of an earlier one."""

    def put(world: Toy) -> None:
        monkeypatch.setitem(worlds.WORLDS, "toy", "emulator.tests.data.toy:Toy")
        table = worlds._of_table
        monkeypatch.setattr(
            worlds, "_of_table", lambda name: world if name == "toy" else table(name)
        )

    return put


@pytest.mark.parametrize("n_observables", [1, 2, 7])
def test_a_world_of_any_number_of_observables_is_generated_and_validates(
    tmp_path: Path, install: Callable[[Toy], None], n_observables: int
) -> None:
    names = NAMES[:n_observables]
    toy = Toy(names)
    install(toy)
    data = generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    opened = xr.open_zarr(tmp_path / "d" / "toy", chunks=None).load()
    assert opened.irfs.shape == (40, 2, 7, n_observables)
    assert opened.trajectories.shape == (40, 5, n_observables)
    assert tuple(opened.observable.values) == names
    assert tuple(opened.observable_unit.values) == UNITS[:n_observables]
    assert opened.horizon.attrs["units"] == opened.period.attrs["units"] == "months"
    assert opened.attrs["frequency"] == "month"
    theta, irf = data.read("toy", "test")
    np.testing.assert_allclose(irf, toy.irf(theta.astype(float), horizon=6), rtol=1e-6)
    assert data.spec("toy") == toy.spec
    assert validate_dataset(tmp_path / "d") == []


def test_a_unit_of_a_shipped_world_is_written_as_before() -> None:
    spec = get_world("nk").spec
    assert units_text(spec) == "percent (output); annualised percentage points (inflation, rate)"
    assert spec.frequency == "quarter"


def test_a_group_of_a_quarterly_world_names_no_frequency(tiny_dataset: Path) -> None:
    attributes = json.loads((tiny_dataset / "nk" / "zarr.json").read_text())["attributes"]
    assert "frequency" not in attributes


@pytest.mark.parametrize("states", [("a", "b"), ("a", "b", "spare")])
def test_data_of_before_validate_against_a_world_that_has_gained_observables(
    tmp_path: Path,
    install: Callable[[Toy], None],
    states: tuple[str, ...],
) -> None:
    install(Toy(NAMES[1:3]))
    generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    install(Toy(NAMES, states))  # the two of before now stand elsewhere among seven
    assert validate_dataset(tmp_path / "d") == []
    assert open_dataset(tmp_path / "d").spec("toy").observable_names == NAMES[1:3]

    def swap(values: np.ndarray) -> None:
        values[:] = values[..., ::-1].copy()

    write_array(tmp_path / "d", "toy", "irfs", swap)
    forge_checksums(tmp_path / "d")
    assert any("irfs" in finding.what for finding in validate_dataset(tmp_path / "d"))


def test_state_matrices_that_answer_something_else_are_found_when_states_have_other_names(
    tmp_path: Path, install: Callable[[Toy], None]
) -> None:
    install(Toy(NAMES[:2]))
    generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    install(Toy(NAMES[:2], ("a", "b", "spare")))

    def double(values: np.ndarray) -> None:
        values *= 2

    write_array(tmp_path / "d", "toy", "state_impact", double)
    forge_checksums(tmp_path / "d")
    assert any("state_observation" in finding.what for finding in validate_dataset(tmp_path / "d"))


def test_a_world_that_lost_an_observable_or_changed_a_unit_is_another_world(
    tmp_path: Path, install: Callable[[Toy], None]
) -> None:
    install(Toy(NAMES[:3]))
    generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    install(Toy(NAMES[:2]))
    assert any("spec differs" in finding.what for finding in validate_dataset(tmp_path / "d"))
    changed = Toy(NAMES[:3])
    observables = changed.spec.observables
    changed.spec = changed.spec.model_copy(
        update={"observables": (observables[0].model_copy(update={"unit": "?"}), *observables[1:])}
    )
    install(changed)
    assert any("spec differs" in finding.what for finding in validate_dataset(tmp_path / "d"))


@pytest.mark.parametrize("n_observables", [1, 5, 7])
def test_the_card_pictures_every_observable_with_its_unit_and_the_period(
    monkeypatch: pytest.MonkeyPatch, pictures_of_cards: None, n_observables: int
) -> None:
    drawn = []

    def keep(figure, *args, **options) -> None:
        drawn.append(figure)

    monkeypatch.setattr(card.Figure, "savefig", keep)
    toy = Toy(NAMES[:n_observables])
    card.picture(toy.spec, toy.irf(toy.propose(30, np.random.default_rng(0)), horizon=6))
    panels = [axis for axis in drawn[0].axes if axis.get_visible()]
    assert [axis.get_title() for axis in panels] == [
        f"{shock} → {name}" for shock in ("demand", "supply") for name in NAMES[:n_observables]
    ]
    assert [axis.get_ylabel() for axis in panels[:n_observables]] == list(UNITS[:n_observables])
    labels = {axis.get_xlabel() for axis in drawn[0].axes} - {""}
    assert labels == {"months after impact"}


def test_the_card_names_units_and_the_period(
    tmp_path: Path, install: Callable[[Toy], None]
) -> None:
    install(Toy(NAMES[:4]))
    generate_dataset(tmp_path / "d", ["toy"], **SIZES)
    text = (tmp_path / "d" / card.CARD).read_text()
    assert "One period is a month." in text
    assert f"| `stock` | stock | {UNKNOWN_UNIT} |" in text


def test_a_data_set_that_was_written_before_is_read_and_validates(tmp_path: Path) -> None:
    with zipfile.ZipFile(REFERENCE / "rbc.zip") as archive:
        archive.extractall(tmp_path / "before")
    data = open_dataset(tmp_path / "before")
    assert data.fingerprint == "f51c71f2579a68ec3f02b271cf4758ffc3eb4c295b82c01dd4102ef6d7610bd1"
    spec, now = data.spec("rbc"), get_world("rbc").spec
    assert spec.observable_names == ("output", "inflation", "rate")
    assert set(spec.observable_names) < set(now.observable_names)
    theta, irf = data.read("rbc", "train")
    assert irf.shape == (len(theta), 3, 5, 3)
    assert validate_dataset(tmp_path / "before") == []
