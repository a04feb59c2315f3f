"""The network that ships, fine-tuned on few draws of a world that is akin to one of its own."""

import pytest

import emulator
from emulator.choice import choosing, fitting
from emulator.choice.choosing import choose
from emulator.choice.kinds import KINDS, fits
from emulator.data import generate_dataset
from emulator.worlds import get_world

AKIN = "examples/hybrid_nk.mod"


@pytest.mark.fast
@pytest.mark.checkout
def test_it_is_tried_where_names_roles_and_shocks_are_akin():
    few = 150
    for world in ("nk", AKIN):
        spec = get_world(world).spec
        assert fits(KINDS["finetune"], {spec.name: spec}, few) == ""
    spec = get_world(AKIN).spec
    without_roles = tuple(p.model_copy(update={"role": "constant"}) for p in spec.parameters)
    plain = spec.model_copy(update={"parameters": without_roles})  # as imported draws are
    assert "related to 'hybrid_nk'" in fits(KINDS["finetune"], {"hybrid_nk": plain}, few)
    other = tuple(o.model_copy(update={"name": f"my_{o.name}"}) for o in spec.observables)
    renamed = spec.model_copy(update={"observables": other})
    assert "observables" in fits(KINDS["finetune"], {"hybrid_nk": renamed}, few)


def test_it_comes_to_an_answer_that_few_draws_alone_do_not_give(tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "STEPS", 20)
    monkeypatch.setattr(choosing._Choosing, "_curve", lambda self: None)
    generate_dataset(tmp_path / "data", [AKIN], 160, periods=0, verdicts=0, horizon=12)
    choice = choose(tmp_path / "data", tmp_path / "run", "finetune", "6s")
    assert choice.winner.kind == "finetune"
    assert choice.winner.state == "done"
    assert choice.winner.test < min(choice.ledger.trivial.values())
    answer = emulator.load(tmp_path / "run")["hybrid_nk"].irf(kappa=0.1, shock="monetary")
    assert answer["irf"].shape == (1, 1, 13, 3)
    assert (answer["lower"] <= answer["upper"]).all()
