"""A network that ships beside another answers for its world in the other's place."""

import numpy as np
import pytest
import torch

import emulator
from emulator.errors import DoubtWarning, ParameterError, UnknownNameError
from emulator.inference import Emulator
from emulator.inference.export import export
from emulator.models import shipped
from emulator.models.trained import load

if not (shipped.FOLDER / "structure_hank").exists():
    pytest.skip("no weights of 'structure_hank' in this checkout", allow_module_level=True)

TRAINED = load("universal")


@pytest.fixture(scope="module")
def em():
    return emulator.load("universal")


def test_the_world_is_answered_by_the_exact_closure_which_says_so(em):
    assert "hank" in em.beside
    answer = em.irf("hank", shock="monetary")
    assert answer.attrs["source"] == "network structure_hank (structure: exact closure)"
    assert answer["irf"].notnull().all()
    assert (answer["lower"] < answer["upper"]).all()
    assert "flagged" in answer
    assert "consumption" in em.spec("hank").observable_names
    own = emulator.load("structure_hank").irf("hank", shock="monetary")
    assert np.array_equal(answer["irf"], own["irf"])


def test_a_world_that_only_a_network_beside_knows_is_answered_by_it(em, tmp_path):
    if "hank2" not in em.beside:
        pytest.skip("no weights of 'structure_hank2' in this checkout")
    assert "hank2" in em
    assert list(em)[-1] == "hank2"
    answer = em.irf("hank2", shock="monetary")
    assert answer.attrs["source"] == "network structure_hank2 (structure: exact closure)"
    assert answer["irf"].sel(observable="consumption").notnull().all()
    with pytest.raises(UnknownNameError, match="Its solver answers"):
        em.alone.irf("hank2")
    with pytest.raises(UnknownNameError, match="--checkpoint structure_hank2"):
        export(em, tmp_path, ["hank2"])
    with pytest.raises(ParameterError, match="0 to 40; the solver answers later ones"):
        em.irf("hank2", horizon=60)
    with pytest.warns(DoubtWarning, match="nothing says whether there is a unique stable solution"):
        em.irf("hank2", phi_pi=0.9)


def test_the_network_alone_is_asked_by_a_name_of_its_own_and_answers_all_else(em):
    alone = emulator.load("universal-alone")
    assert not alone.beside
    assert not em.alone.beside
    theta = torch.tensor(TRAINED.world_specs["hank"].theta(), dtype=torch.float32)
    with torch.inference_mode():
        expected = TRAINED.network(theta, "hank")[0].double().numpy()
    for asked in (alone, em.alone):
        answer = asked.irf("hank")
        assert answer.attrs["source"] == "network universal"
        assert np.array_equal(answer["irf"].values.squeeze(), expected)
    assert np.array_equal(em.irf("nk")["irf"], alone.irf("nk")["irf"])


def test_the_command_names_what_is_left_to_the_solver(em, emulate):
    """Unless observables are asked for by name."""
    known = em.spec("hank").observable_names
    world = emulator.world("hank").spec.observable_names
    beyond = ", ".join(name for name in world if name not in known)
    asked = ("irf", "hank", "--network", "--shock", "monetary", "--horizon", "1")
    code, _, err = emulate(*asked)
    message = " ".join(err.split())
    assert code == 0
    assert (f"of world 'hank', and no {beyond}. The solver answers" in message) == bool(beyond)
    assert "The solver answers" not in emulate(*asked, "--observables", "output")[2]


def test_a_file_stands_for_itself_and_missing_weights_for_nothing(monkeypatch, tmp_path):
    place = shipped.find("universal")
    assert not Emulator.load(place).beside
    assert not Emulator.load(str(place)).beside
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    assert shipped.beside("universal") == {}
