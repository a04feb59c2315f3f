"""Worlds of one data set may have different numbers of draws."""

import pytest

from emulator.data import open_dataset, validate_dataset
from emulator.errors import DatasetError, EmulatorError
from emulator.tests.data.conftest import TINY
from emulator.tests.data.tampering import contents, edit_json

OPTIONS = ["--seed", 7, "--horizon", 5, "--periods", 4, "--chunk", 16, "--shard", 32]


@pytest.fixture
def uneven(generate_tiny, tmp_path):
    """80 draws of nk, 40 of lss."""
    return generate_tiny(tmp_path / "uneven", samples={"lss": 40})


def test_each_world_is_what_it_is_in_a_data_set_of_its_own(
    uneven, generate_tiny, tiny_dataset, tmp_path
):
    generate_tiny(tmp_path / "alone", worlds=["lss"], n_samples=40)
    assert contents(uneven.path / "nk") == contents(tiny_dataset / "nk")
    assert contents(uneven.path / "lss") == contents(tmp_path / "alone" / "lss")
    assert [len(uneven.world(name).shards) for name in ("nk", "lss")] == [3, 2]
    assert [sum(map(len, uneven.splits(name).values())) for name in ("nk", "lss")] == [80, 40]
    assert validate_dataset(uneven.path) == []


def test_the_same_command_mends_resumes_and_leaves_alone(uneven, generate_tiny):
    whole = contents(uneven.path)
    (uneven.path / "lss" / "theta" / "c" / "1" / "0").write_bytes(b"short")
    assert (
        generate_tiny(uneven.path, samples={"lss": 40, "nk": 80}).fingerprint == uneven.fingerprint
    )
    assert contents(uneven.path) == whole


@pytest.mark.fast
def test_the_usual_number_is_no_exception(generate_tiny, tiny_dataset, tiny_copy):
    assert generate_tiny(tiny_copy, samples={"nk": 80, "lss": 80}).manifest.request.samples == {}
    assert contents(tiny_copy) == contents(tiny_dataset)


@pytest.mark.fast
def test_another_number_is_another_request(tiny_copy, generate_tiny):
    with pytest.raises(DatasetError, match=r"samples: there \{\}, asked \{'lss': 40\}"):
        generate_tiny(tiny_copy, samples={"lss": 40})


@pytest.mark.fast
@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({"nkk": 40}, "exceptions to n_samples: 'nkk'. Did you mean 'nk'"),
        ({"var": 80}, "Unknown world among"),
        ({"nk": 19}, "samples.nk: .*20"),
        ({"nk": 40.5}, "samples.nk"),
    ],
)
def test_exceptions_that_cannot_be_met_are_refused_and_nothing_is_written(
    generate_tiny, tmp_path, samples, message
):
    with pytest.raises(EmulatorError, match=message):
        generate_tiny(tmp_path / "none", samples=samples)
    assert not (tmp_path / "none").exists()


@pytest.mark.fast
@pytest.mark.parametrize("samples", [{"var": 40}, {"nk": 80}, {"nk": 5}, {"../nk": 40}])
def test_a_manifest_whose_exceptions_are_none_is_refused(tiny_copy, samples):
    edit_json(
        tiny_copy / "manifest.json", lambda manifest: manifest["request"].update(samples=samples)
    )
    with pytest.raises(DatasetError, match="samples"):
        open_dataset(tiny_copy)


def test_a_manifest_that_says_another_number_than_the_files_hold_is_found(tiny_copy):
    for name in ("manifest.json", "request.json"):
        edit_json(
            tiny_copy / name,
            lambda content: content.get("request", content).update(samples={"lss": 60}),
        )
    problems = [what for world, what in validate_dataset(tiny_copy) if world == "lss"]
    assert "the manifest's shards do not cover the rows of the request" in problems
    assert "'irfs' holds 80 rows, the manifest 60" in problems


def test_the_command_line_takes_exceptions_and_the_card_tells_them(
    emulate, uneven, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, _, _ = emulate(
        "generate",
        "--world",
        ",".join(TINY["worlds"]),
        "--n_samples",
        "80, lss = 40,nk=80",
        *OPTIONS,
        "--output",
        "typed",
    )
    assert code == 0
    assert contents(tmp_path / "typed") == contents(uneven.path)
    text = (tmp_path / "typed" / "README.md").read_text()
    assert "80 draws of each of nk; 40 draws of each of lss; seed 7" in text
    assert "emulator generate --world nk,lss --n_samples 80,lss=40 --seed 7" in text


@pytest.mark.fast
@pytest.mark.parametrize(
    "text",
    [
        "nk=50",
        "100,nk",
        "100,nk=many",
        "100,nk=",
        "100,=40",
        "100,",
        "",
        "100,nk=30,nk=40",
        "-100",
        "1e3",
        "100;nk=40",
        "100,nk=-40",
    ],
)
def test_malformed_numbers_end_with_what_was_expected(emulate, tmp_path, text):
    code, _, err = emulate("generate", "--n_samples", text, "--output", tmp_path / "none")
    assert code == 2
    assert "--n_samples" in err
    assert "expected a number of draws" in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "none").exists()


@pytest.mark.fast
@pytest.mark.parametrize("text", ["5", "100,nk=19"])
def test_too_few_draws_are_refused(emulate, tmp_path, text):
    code, _, err = emulate("generate", "--n_samples", text, "--output", tmp_path / "none")
    assert code == 2
    assert "20 draws or more" in " ".join(err.replace("│", " ").split())


@pytest.mark.fast
def test_an_exception_for_a_world_that_is_not_made_is_refused(emulate, tmp_path):
    code, _, err = emulate(
        "generate", "--world", "nk", "--n_samples", "100,var=40", "--output", tmp_path / "none"
    )
    assert (code, len(err.splitlines())) == (1, 1)
    assert err.startswith("error: Unknown world among the exceptions to n_samples: 'var'.")
