"""The data card tells what the data set holds and the command that makes it."""

import shlex

import matplotlib.image
import pytest

from emulator.data import Fractions, card, open_dataset
from emulator.data.schema import Request
from emulator.tests.conftest import SMALL_WORLDS
from emulator.tests.data.tampering import contents


@pytest.fixture
def text(small_dataset):
    return (small_dataset / "README.md").read_text()


@pytest.mark.parametrize("world", SMALL_WORLDS)
def test_every_split_stands_with_its_size_and_rule(text, small_dataset, world):
    data = open_dataset(small_dataset)
    section = text.partition(f"## {world}:")[2].partition("\n## ")[0]
    for split, rows in data.splits(world).items():
        assert f"| `{split}` | {len(rows)} |" in section
    for region in data.world(world).regions.values():
        for condition in region.all_of:
            assert f"`{condition.parameter}` >= {condition.at_least:.4g}" in section


@pytest.mark.parametrize("world", SMALL_WORLDS)
def test_every_parameter_and_refusal_is_listed(text, small_dataset, world):
    data = open_dataset(small_dataset)
    for p in data.spec(world).parameters:
        assert f"| `{p.name}` | {p.meaning} | {p.unit} |" in text
    for reason, count in data.world(world).rejections.items():
        assert f"{count} {reason}" in text


def test_worlds_come_in_the_order_of_the_request(text):
    assert text.index("## nk:") < text.index("## var:") < text.index("## lss:")


def test_the_command_of_the_default_request_is_short():
    request = Request(
        worlds=("nk", "var"),
        n_samples=10_000,
        seed=42,
        verdicts=20_000,
        specs_sha256={},
        made_by="x",
    )
    assert (
        card.command(request)
        == "emulator generate --world nk,var --n_samples 10000 --seed 42 --output PATH"
    )


def test_the_command_on_the_card_makes_the_same_bytes(generate_tiny, tmp_path, monkeypatch):
    from emulator.cli import app
    from emulator.console import exit_with

    asked = {
        "fractions": Fractions(val=0.2, test_extrapolation_corner=0.12),
        "n_samples": 90,
        "samples": {"lss": 40},
        "verdicts": 25,
    }
    manifest = generate_tiny(tmp_path / "first", **asked).manifest
    command = card.command(manifest.request).replace("PATH", str(tmp_path / "second"))
    assert command in (tmp_path / "first" / "README.md").read_text().replace(
        "PATH", str(tmp_path / "second")
    )
    monkeypatch.setattr("sys.argv", shlex.split(command))
    with pytest.raises(SystemExit) as end:
        exit_with(app)
    assert end.value.code == 0
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


@pytest.mark.parametrize("world", SMALL_WORLDS)
def test_each_world_has_a_figure_with_something_in_it(small_dataset, world):
    image = matplotlib.image.imread(small_dataset / "figures" / f"{world}.png")
    assert image.shape[1] > 800
    ink = (image[..., :3] < 0.9).any(axis=2)
    assert ink[100:-100].mean() > 0.02


def test_the_axes_show_every_single_draw_whole(small_dataset, pictures_of_cards, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure)
    )
    data = open_dataset(small_dataset)
    irf_BSHO = data.group("nk")["irfs"][:]
    card.picture(data.spec("nk"), irf_BSHO)
    for column, axis in enumerate(drawn[0].axes[:3]):
        low, high = axis.get_ylim()
        shown = irf_BSHO[: card.SHOWN, 0, :, column]
        assert low < shown.min() <= shown.max() < high
