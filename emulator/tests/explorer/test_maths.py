"""Equations of a file as MathML: what stands where, and that nothing of a file becomes markup."""

import re
from xml.etree import ElementTree

import pytest

from emulator.explorer.card import blocks, card_of, equations_of, texts_of
from emulator.explorer.maths import LONGEST, Writer, letters
from emulator.inference.economy import Economy
from emulator.modfile import load_text
from emulator.modfile.reading.syntax import Call, Equation, Number, Operation, Place, Symbol
from emulator.worlds import WORLDS, get_world

pytestmark = pytest.mark.fast

FILE = """var y (long_name='<b>output</b>') pi $\\pi$ r; varexo e;
parameters rho phi_pi $\\phi_\\pi$;
rho = 0.7; phi_pi = 1.5;
model(linear);
# gap = y - rho*y(-1);
[name='<script>alert(1)</script>'] gap = -(r - pi(+1));
pi = 0.99*pi(+1) + 0.1*y;
r = phi_pi*pi + e;
end;
shocks; var e; stderr 0.25; end;
stoch_simul(order=1);
"""


def written(left):
    writer = Writer({}, frozenset(["y"]))
    return writer.equation(Equation(left, Number(0.0), Place("own.mod", 3)))


def said(maths):
    """The letters of an equation in the order in which they are read aloud."""
    return "".join(ElementTree.fromstring(str(maths)).itertext()).replace("\u2062", "")


def operation(sign, *operands):
    return Operation(sign, operands)


Y, A, B = Symbol("y"), Symbol("a"), Symbol("b")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (operation("*", operation("+", A, B), Y), "(a+b)yt"),
        (operation("-", A, operation("-", B, Y)), "a−(b−yt)"),
        (operation("-", A, operation("*", B, Y)), "a−byt"),
        (operation("+", A, operation("neg", operation("+", B, Y))), "a−(b+yt)"),
        (operation("*", A, operation("neg", B)), "a(−b)"),
        (operation("^", operation("neg", A), B), "(−a)b"),
        (operation("^", operation("^", A, B), Y), "(ab)yt"),
        (operation("/", operation("+", A, B), Y), "a+byt"),
        (operation("<=", A, B), "a≤b"),
        (operation("*", A, operation("<", A, B)), "a(a<b)"),
        (operation("*", Number(2.0), Number(0.5)), "2·0.5"),
        (Call("STEADY_STATE", (Y,)), "y¯"),
        (Call("EXPECTATION", (Number(-1.0), Y)), "Et−1[yt]"),
        (Call("max", (A, B)), "max\u2061(a,b)"),
        (Call("diff", (Y,)), "Δ\u2061(yt)"),
        (Symbol("y", -2), "yt−2"),
    ],
)
def test_expressions_are_written_with_the_brackets_that_they_need(expression, text):
    assert said(written(expression)) == f"{text}=0"


@pytest.mark.parametrize(
    ("name", "tex", "expected"),
    [
        ("phi_pi", r"\phi_\pi", ("φ", "π", "")),
        ("rho_a", "", ("ρ", "a", "")),
        ("lambda", "", ("λ", "", "")),
        ("capital", "K^s", ("K", "", "s")),
        ("x", r"\href{javascript:1}{x}", ("x", "", "")),
        ("x", "<b>", ("x", "", "")),
        ("c_b", r"{C}_{a b}", ("c", "b", "")),
        ("_x", "", ("_x", "", "")),
    ],
)
def test_names_are_written_as_their_tex_says_where_it_is_simple(name, tex, expected):
    assert letters(name, tex) == expected


def test_the_equations_of_a_file_have_names_lines_and_definitions():
    model = load_text(FILE, "own.mod")
    equations = equations_of(model)
    assert [equation.line for equation in equations] == [5, 6, 7, 8]
    assert said(equations[0].maths) == "gap=yt−ρyt−1"
    assert said(equations[2].maths) == "πt=0.99πt+1+0.1yt"
    assert equations[1].name == "<script>alert(1)</script>"
    for equation in equations:
        assert not re.search(
            r"<(?!/?(math|mrow|m[ion]|msub|msup|mspace|msubsup)[ />])", equation.maths
        )


def test_an_exponent_stands_above_the_date_as_on_paper():
    power = written(operation("^", Y, B))
    assert "<msubsup><mi>y</mi><mrow><mi>t</mi></mrow><mrow><mi>b</mi></mrow></msubsup>" in power


def test_an_equation_without_end_is_told_by_its_line():
    assert written(operation("+", *[Y] * LONGEST)) == ""


@pytest.mark.parametrize("world", [name for name in WORLDS if not name.startswith("hank")])
def test_every_world_states_its_equations(world):
    card = card_of(Economy.named(world))
    assert card.equations or any(indented for text in card.text for indented, _ in blocks(text))


def test_the_texts_of_a_room_are_read_without_importing_it():
    texts = texts_of("emulator.worlds.hank.world")
    assert any("Taylor rule" in text for text in texts)
    assert any("max E sum beta^t" in text for text in texts)
    assert texts_of("no.such.module") == ()


def test_all_equations_of_shipped_files_are_well_formed():
    for name in ("rbc", "sw07"):
        equations = equations_of(get_world(name).model)
        assert len(equations) >= 13
        for equation in equations:
            assert ElementTree.fromstring(equation.maths).tag == "math"
