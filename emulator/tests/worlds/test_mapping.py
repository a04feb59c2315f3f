"""Mappings that are wrong or hostile: clear errors, and text shown as text."""

import numpy as np
import pytest
from pydantic import ValidationError

from emulator.errors import ModFileError
from emulator.worlds.mapping import parse_mapping
from emulator.worlds.priors import Prior

pytestmark = pytest.mark.fast

OBSERVED = "observables: {output: x, inflation: x, rate: x}\n"
MODEL = (
    "var x;\nvarexo e;\nparameters a;\na = .5;\nmodel(linear);\nx = a*x(-1) + e;\nend;\n"
    "shocks; var e; stderr 1; end;\nstoch_simul(order=1);\n"
)
SHAPES = ["normal", "beta", "gamma", "inv_gamma", "inv_gamma2"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("mean", "sd"),
    [
        ("1.0e+300", "1.0e-300"),
        ("1.0e-300", "1.0e+300"),
        ("1.0e+160", "1.0e+160"),
        ("0.5", "5.0e-324"),
        ("1" + "0" * 400, "1"),
        (".inf", "1"),
        (".nan", "1"),
    ],
)
def test_moments_beyond_reach_are_refused(shape, mean, sd):
    entry = f"parameters: {{a: {{prior: {shape}, mean: {mean}, sd: {sd}}}}}\n"
    with pytest.raises(ModFileError, match=r"m\.yaml: parameters\.a"):
        parse_mapping(OBSERVED + entry, "m.yaml")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_prior_that_is_taken_draws_finite_numbers(shape):
    """Any moments, bounds and shifts: either refused with a reason, or fit to be drawn from."""
    rng = np.random.default_rng(1)
    numbers = [None, 0, 1e-99, 1e-30, 0.1, 0.5, 1, -1, 2, 1e10, 1e60, 1e99, -1e99]
    taken = 0
    for _ in range(400):
        mean, sd, low, high = (numbers[k] for k in rng.integers(0, len(numbers), 4))
        try:
            prior = Prior(prior=shape, mean=mean, sd=sd, low=low, high=high)
        except ValidationError:
            continue
        taken += 1
        draws = prior.draw(20, rng)
        assert np.isfinite(draws).all()
        assert (draws >= prior.bounds()[0]).all()
        assert (draws <= prior.bounds()[1]).all()
    assert taken


@pytest.mark.parametrize(
    "text",
    ["[a, b]: 1\n", "? [a, b]\n: 1\n", "? {a: b}\n: 1\n", "parameters: {[a]: {low: 0, high: 1}}\n"],
)
def test_a_list_as_a_key_is_refused_with_its_line(text):
    with pytest.raises(ModFileError, match=r"m\.yaml:2: .*a list or a table stands where a key"):
        parse_mapping(OBSERVED + text, "m.yaml")


@pytest.mark.parametrize(
    "text",
    [
        'title: "\\e[2J"\n',
        "summary: !!binary G1syShsK\n",
        'parameters: {a: {low: 0, high: 1, meaning: "\\e]0;x\\a"}}\n',
        'shocks: {s: {variable: e, meaning: "\\x9b31m"}}\n',
    ],
)
def test_control_characters_are_refused(text):
    with pytest.raises(ModFileError, match="control character") as raised:
        parse_mapping(OBSERVED + text, "m.yaml")
    assert "\x1b" not in str(raised.value)


def test_markup_in_texts_is_shown_as_text(emulate, tmp_path):
    path = tmp_path / "m.mod"
    path.write_text(MODEL)
    path.with_name("m.world.yaml").write_text(
        OBSERVED + "title: 'closed [/] twice [/bold]'\nsummary: '[red]alarm[/red]'\n"
        "prior: '[link=x]y[/link]'\n"
        "parameters: {a: {low: 0, high: 1, meaning: '[/]share [b]', unit: '[i]'}}\n"
        "shocks: {s: {variable: e, meaning: 'rise [/red]'}}\n"
    )
    code, out, err = emulate("worlds", path)
    assert code == 0, err
    shown = " ".join(out.split())
    for text in ("closed [/] twice [/bold]", "[red]alarm[/red]", "[link=x]y[/link]", "rise [/red]"):
        assert text in shown
    assert "[/]share [b], [i]" in shown
