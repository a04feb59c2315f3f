"""Commands of data sets as a person types them: generating, validating, the scripts of the
checkout.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import emulator
from emulator.data import jobs, open_dataset
from emulator.tests import commands
from emulator.tests.conftest import SMALL, SMALL_WORLDS
from emulator.tests.data.tampering import contents, flip_byte

SCRIPTS = Path(emulator.__file__).parents[1] / "data" / "scripts"
REQUEST = [
    str(word)
    for name in ("n_samples", "seed", "horizon", "periods", "chunk", "shard")
    for word in (f"--{name}", SMALL[name])
]


@pytest.mark.fast
def test_validate_lists_what_is_wrong_and_ends_with_code_one(
    emulate, small_dataset, damaged_dataset
):
    code, out, err = emulate("validate", "--path", small_dataset)
    assert (code, "is whole" in out) == (0, True)
    flip_byte(damaged_dataset / "nk" / "irfs" / "c" / "1" / "0" / "0" / "0")
    flip_byte(damaged_dataset / "lss" / "splits.json")
    code, out, err = emulate("validate", "--path", damaged_dataset)
    assert code == 1
    assert "nk: shard 1 of 'irfs' was altered" in out
    assert "lss: splits.json was altered" in out
    assert "is damaged" in err


@pytest.mark.usefixtures("pictures_of_cards")
def test_generate_again_mends_what_validate_found(emulate, damaged_dataset, small_dataset):
    flip_byte(damaged_dataset / "nk" / "irfs" / "c" / "1" / "0" / "0" / "0")
    assert (
        emulate("generate", "--world", "nk,var,lss", *REQUEST, "--output", damaged_dataset)[0] == 0
    )
    assert contents(damaged_dataset) == contents(small_dataset)


@pytest.mark.fast
def test_an_interrupted_generation_says_how_to_go_on(emulate, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "make_shard", interrupted)
    code, _, err = emulate("generate", "--world", "nk", *REQUEST, "--output", tmp_path / "x")
    assert code == 128 + 2
    assert "run the same command again to resume" in err
    assert "is not finished" in emulate("validate", "--path", tmp_path / "x")[2]


@pytest.mark.fast
def test_generate_tells_the_size_of_each_split_and_what_was_refused(emulate, small_dataset):
    code, out, _ = emulate("generate", "--world", "nk,var,lss", *REQUEST, "--output", small_dataset)
    data = open_dataset(small_dataset)
    assert code == 0
    for name in SMALL_WORLDS:
        sizes = [str(len(rows)) for rows in data.splits(name).values()]
        row = next(line for line in out.splitlines() if line.startswith(f"│ {name}"))
        assert row.replace("│", " ").split()[1:6] == sizes
    assert f"{data.world('nk').rejections['indeterminate']} indeterminate" in out
    assert data.fingerprint[:16] in out


def test_the_tables_of_a_generation_are_readable_in_eighty_columns(small_dataset):
    words = ["generate", "--world", "nk,var,lss", *REQUEST, "--output", small_dataset]
    done = commands.typed("emulator", *words)
    assert done.returncode == 0, done.stderr
    assert commands.tables_fit(done.stdout)
    for heading in ("train", "val", "test", "slice", "corner"):
        assert f"┃ {heading}" in done.stdout.replace("┃  ", "┃ ")


@pytest.mark.checkout
def test_the_scripts_of_the_checkout_generate_and_validate_without_a_warning(
    small_dataset, tmp_path
):
    made = commands.typed(
        SCRIPTS / "generate_dataset.py",
        "--world",
        "nk,var,lss",
        *REQUEST,
        "--output",
        tmp_path / "x",
        warnings="error",
    )
    assert made.returncode == 0, made.stderr
    assert "Data set:" in made.stdout
    assert contents(tmp_path / "x" / "nk") == contents(small_dataset / "nk")
    checked = commands.typed(
        SCRIPTS / "validate_dataset.py", "--path", tmp_path / "x", warnings="error"
    )
    assert checked.returncode == 0, checked.stderr
    assert "is whole" in checked.stdout


@pytest.mark.checkout
@pytest.mark.parametrize("script", ["generate_dataset.py", "validate_dataset.py"])
def test_the_scripts_of_the_checkout_explain_themselves_and_refuse_with_a_message(script, tmp_path):
    path = SCRIPTS / script
    assert "Usage" in commands.typed(path, "--help", warnings="error").stdout
    wrong = ["--world", "nkk", "--output"] if script.startswith("generate") else ["--path"]
    done = commands.typed(path, *wrong, tmp_path / "x", warnings="error")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
