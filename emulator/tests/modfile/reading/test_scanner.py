"""Where statements, blocks and lines of MATLAB begin and end, and what lines of MATLAB set."""

from __future__ import annotations

import pytest

from emulator.modfile.reading.native import assigned_names
from emulator.modfile.reading.scanner import Block, Native, Sentence, nesting, scan, split
from emulator.modfile.reading.source import Span, strip_comments
from emulator.modfile.reading.syntax import Place

pytestmark = pytest.mark.fast


def span(text: str) -> Span:
    return Span(text, tuple(Place("model.mod", line) for line in range(1, text.count("\n") + 2)))


def kinds(text: str, *declared: str) -> list[tuple[str, str, int]]:
    """(kind, text on one line, line) of every segment."""
    return [
        (type(segment).__name__, segment.span.words, segment.span.place.line)
        for segment in scan(strip_comments(text, "model.mod"), declared)
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a // b", "a "),
        ("a % b", "a "),
        ("a /* b */ c", "a   c"),
        ("'%' // b", "'%' "),
        ('"//" % b', '"//" '),
        ("x' % it's", "x' "),
        ("disp('it''s % here') % gone", "disp('it''s % here') "),
        ("a $\\%$ b % c", "a $\\%$ b "),
        ("x = y'; % 'z'", "x = y'; "),
        ("'a\n% b'", "'a\n"),
    ],
)
def test_comments_go_and_strings_stay(text: str, kept: str) -> None:
    assert "\n".join(line.text for line in strip_comments(text, "model.mod")) == kept


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(ending: str) -> None:
    lines = strip_comments(ending.join(["a", "/* b", "c */", "d"]), "model.mod")
    assert [(line.text.strip(), line.place.line) for line in lines if line.text.strip()] == [
        ("a", 1),
        ("d", 4),
    ]


def test_keywords_and_declared_names_go_to_the_semicolon_all_else_to_the_end_of_the_line() -> None:
    text = "var x\n y; steady;\nalpha =\n 3; beta = 4\nx = 1; check;\ncheck = 2;\nPARAMETERS g;"
    assert kinds(text, "alpha") == [
        ("Sentence", "var x y", 1),
        ("Sentence", "steady", 2),
        ("Sentence", "alpha = 3", 3),
        ("Native", "beta = 4", 4),
        ("Native", "x = 1; check;", 5),
        ("Native", "check = 2;", 6),
        ("Sentence", "PARAMETERS g", 7),
    ]


def test_blocks_end_at_their_end() -> None:
    [block] = scan(
        strip_comments("model(linear);\n y = x;\n [name = 'a; b'] z = 1;\nEND;", "model.mod"), ()
    )
    assert isinstance(block, Block)
    assert (block.word, block.head.text) == ("model", "model(linear)")
    assert [item.text for item in block.items] == ["y = x", "[name = 'a; b'] z = 1"]
    assert [item.place.line for item in block.items] == [2, 3]


def test_a_verbatim_block_is_one_text() -> None:
    segments = list(
        scan(strip_comments("verbatim;\nif x\n y = 1;\nend\nend;\nsteady;", "model.mod"), ())
    )
    assert isinstance(segments[0], Block)
    assert segments[0].items[0].text == "if x\n y = 1;\nend"
    assert isinstance(segments[1], Sentence)


def test_matlab_goes_on_behind_three_dots() -> None:
    [line] = scan(strip_comments("x = [1 ... comment\n 2 ...\n 3];", "model.mod"), ())
    assert isinstance(line, Native)
    assert line.span.words == "x = [1 ... comment 2 ... 3];"


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("if x", 1),
        ("end", -1),
        ("for i = 1:3", 1),
        ("if x, y = 1; end", 0),
        ("x = y(end)", 0),
        ("x(end + 1) = 2; end", -1),
        ("disp('if')", 0),
        ("options.if = 1", 0),
        ("while true, if x", 2),
        ("endif", -1),
        ("y = x'; end % '", -1),
        ("try", 1),
    ],
)
def test_nesting(line: str, level: int) -> None:
    assert nesting(span(line)) == level


def test_splitting_looks_into_neither_brackets_nor_strings() -> None:
    assert [part.text for part in split(span("a, f(b, c), 'd, e', [g, h]"), ",")] == [
        "a",
        "f(b, c)",
        "'d, e'",
        "[g, h]",
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1; y=2", ("x", "y")),
        ("x(3) = 1", ("x",)),
        ("[a, b] = f(c)", ("a", "b")),
        ("M_.params(3) = 1", ()),
        ("options_.x = 1", ()),
        ("if a == 1, b = 2; end", ("b",)),
        ("disp('x = 3')", ()),
        ("x += 1", ("x",)),
        ("set_param_value('alpha', z)", ("alpha",)),
        ("a <= b", ()),
    ],
)
def test_what_a_line_of_matlab_sets(text: str, names: tuple[str, ...]) -> None:
    assert assigned_names(text, ()) == names
