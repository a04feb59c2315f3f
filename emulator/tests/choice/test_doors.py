"""`emulator train --dataset`, `emulator.train` and `emulator.emulate`, as a user meets them."""

import numpy as np
import pytest

import emulator as package
from emulator.errors import ConfigError, DatasetError


def test_the_command_prints_the_board_and_leaves_the_winner(emulate, mine, tmp_path):
    run = tmp_path / "run"
    code, out, _ = emulate(
        "train", "--dataset", mine, "--kind", "linear,quadratic", "--budget", "4s", "--output", run
    )
    assert code == 0, out
    for text in ("quadratic", "chosen", "nearest neighbour", "Learning curve", "CARD.md"):
        assert text in out
    assert package.load(run)["mine"].irf()["irf"].shape == (1, 2, 9, 2)
    code, _, said = emulate(
        "train", "--dataset", mine, "--kind", "linear", "--budget", "4s", "--output", run
    )
    assert code == 1
    assert "already holds a choice" in said


@pytest.mark.fast
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--dataset with --output"),
        (("--dataset", "nowhere"), "--dataset with --output"),
        (("--config", "c.yaml", "--dataset", "d", "--output", "o"), "not both"),
        (("--dataset", "nowhere", "--output", "o", "--set", "lr=1"), "give --config"),
        (("--dataset", "nowhere", "--output", "o"), "nowhere does not exist"),
        (("--dataset", "draws.npz", "--output", "o"), "solved elsewhere: emulator import"),
        (("--dataset", "nowhere", "--output", "o", "--kind", "mpl"), "Did you mean 'mlp'"),
        (("--dataset", "nowhere", "--output", "o", "--budget", "10x"), "10x"),
    ],
)
def test_mistakes_end_in_a_message(emulate, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    code, _, said = emulate("train", *options)
    assert code in (1, 2)
    assert message in " ".join(said.replace("│", " ").split())


def test_arrays_become_an_emulator(arrays, tmp_path):
    theta, irf, names = arrays
    em = package.emulate(theta, irf, **names, kind="quadratic", budget="3s")
    assert em.worlds == ("mine",)
    answer = em["mine"].irf(rho_a=0.5, rho_b=0.4, load=1.0)
    assert answer["irf"].shape == (1, 2, 9, 2)
    assert "lower" in answer
    package.emulate(
        theta, irf, **names, kind="linear", budget="3s", output=tmp_path / "kept", name="shop"
    )
    assert package.load(tmp_path / "kept").worlds == ("shop",)


def test_arrays_without_names_are_numbered_and_chance_is_said(arrays, capsys):
    theta, irf, _ = arrays
    shuffled = np.random.default_rng(0).permutation(irf)
    em = package.emulate(theta[:50], shuffled[:50], kind="linear", budget="3s")
    answer = em["mine"].irf(parameter_1=0.5)["irf"]
    assert list(answer["shock"].values) == ["shock_1", "shock_2"]
    assert list(answer["observable"].values) == ["observable_1", "observable_2"]
    said = capsys.readouterr()
    assert "learnt nothing that helps" in " ".join((said.out + said.err).split())


@pytest.mark.fast
def test_arrays_that_cannot_be_are_refused(arrays):
    theta, irf, names = arrays
    for bad, error in (
        ((theta[:1], irf[:1]), DatasetError),
        ((theta[:5], irf), DatasetError),
        ((np.where(theta > 1.9, np.nan, theta), irf), DatasetError),
        ((theta, irf[:, 0]), DatasetError),
        ((theta, np.full_like(irf, np.nan)), DatasetError),
    ):
        with pytest.raises(error):
            package.emulate(*bad, **names, kind="linear", budget="3s")
    with pytest.raises(DatasetError, match="four axes"):
        package.emulate(theta, irf[:, 0], kind="linear", budget="3s")
    with pytest.raises(DatasetError, match="there are 1 parameters: abc"):
        package.emulate(theta, irf, parameters="abc", kind="linear", budget="3s")
    with pytest.raises(ConfigError, match="10x"):
        package.emulate(theta, irf, **names, budget="10x")


@pytest.mark.fast
def test_python_takes_a_configuration_or_a_data_set():
    with pytest.raises(ConfigError, match="output="):
        package.train(dataset="datasets/mine")
    with pytest.raises(ConfigError, match="takes a configuration"):
        package.train()
