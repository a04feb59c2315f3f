"""The macro language: values, loops, branches, includes, places, bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.errors import ModFileError
from emulator.modfile.reading.macro import expand
from emulator.modfile.reading.source import Line, strip_comments

pytestmark = pytest.mark.fast


def expanded(text: str, folder: Path = Path()) -> list[Line]:
    return [line for line in expand(strip_comments(text, "model.mod"), folder) if line.text.strip()]


def shown(expression: str, before: str = "") -> str:
    [line] = expanded(f"{before}\n@{{{expression}}}")
    return line.text


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2*3", "7"),
        ("-2^2", "-4"),
        ("2^-1", "0.5"),
        ("7/2", "3.5"),
        ("1/3", "0.3333333333333333"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("mod(7, 4)", "3"),
        ("max(1, 2) + min(1, 2)", "3"),
        ("floor(-1.5)", "-2"),
        ("round(2.5)", "3"),
        ("sign(-3)", "-1"),
        ("ln(exp(2))", "2"),
        ("power(2, 10)", "1024"),
        ("normcdf(0)", "0.5"),
        ("sum([1, 2, 3])", "6"),
        ("length([1, 2])", "2"),
        ('length("abc")', "3"),
        ('"a" + "b"', "ab"),
        ("'a' + 'b'", "ab"),
        ('"abc"[2]', "b"),
        ('"abcd"[2:3]', "bc"),
        ("[4, 5, 6][3]", "6"),
        ("[1, 2] + [3]", "[1, 2, 3]"),
        ("[1, 2, 3] - [2]", "[1, 3]"),
        ("[1, 2] | [2, 3]", "[1, 2, 3]"),
        ("[1, 2] & [2, 3]", "[2]"),
        ("1:3", "[1, 2, 3]"),
        ("3:-1:1", "[3, 2, 1]"),
        ("1:0", "[]"),
        ('["a", "b"]', '["a", "b"]'),
        ('[1, 2] * ["a"]', '[(1, "a"), (2, "a")]'),
        ("[1, 2]^2", "[(1, 1), (1, 2), (2, 1), (2, 2)]"),
        ("[i^2 for i in 1:4 when i > 2]", "[9, 16]"),
        ("[i in 1:4 when mod(i, 2) == 0]", "[2, 4]"),
        ("[i + j for (i, j) in [1]*[2, 3]]", "[3, 4]"),
        ("[(i, j) in [1, 2]^2 when i < j]", "[(1, 2)]"),
        ("2 in [1, 2]", "true"),
        ("!true || 1 < 2 && false", "false"),
        ('"a" < "b"', "true"),
        ("1 == true", "false"),
        ("1 != 2", "true"),
        ("isreal(1) && isstring('a') && isarray([]) && istuple((1, 2)) && isboolean(true)", "true"),
        ("isempty([])", "true"),
        ('(real) "5" + 1', "6"),
        ("(string) 5 + 'x'", "5x"),
        ("(array) 5", "[5]"),
        ("(bool) 1", "true"),
        ("(1, 2)[2]", "2"),
        ("defined(nothing)", "false"),
    ],
)
def test_expressions(expression: str, value: str) -> None:
    assert shown(expression) == value


def test_functions_and_values_can_be_defined() -> None:
    before = "@#define n = 2\n@#define f(x, y) = x^2 + n*y\n@#define flag"
    assert shown("f(3, 1)", before) == "11"
    assert shown("flag", before) == "true"
    assert shown("defined(f) && defined(n)", before) == "true"


def test_the_first_branch_that_holds_is_taken() -> None:
    text = "@#define n = {}\n@#if n == 1\none\n@#elseif n == 2\ntwo\n@#else\nother\n@#endif"
    assert [expanded(text.format(n))[0].text for n in (1, 2, 3)] == ["one", "two", "other"]
    assert expanded("@#ifdef x\nno\n@#endif\n@# ifndef x\nyes\n@# endif")[0].text == "yes"


def test_loops_and_their_conditions() -> None:
    assert [line.text for line in expanded("@#for self in 1:2\n@{self}\n@#endfor")] == ["1", "2"]
    lines = expanded(
        "@#for i in 1:2\nx@{i}\n@#for (a, b) in [i]*['u', 'v'] when b != 'u'\n "
        " @{a}@{b}\n@#endfor\n@#endfor"
    )
    assert [line.text.strip() for line in lines] == ["x1", "1v", "x2", "2v"]


def test_every_line_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "part.inc").write_text("\nfrom_part\n")
    lines = expanded(
        'first /* over\ntwo lines */\n@#for i in 1:2\nx@{i}\n@#endfor\n@#include "part.inc"\nlast',
        tmp_path,
    )
    assert [(line.text.strip(), line.place.line) for line in lines] == [
        ("first", 1),
        ("x1", 4),
        ("x2", 4),
        ("from_part", 2),
        ("last", 7),
    ]
    assert lines[3].place.file == str(tmp_path / "part.inc")


def test_directives_in_comments_and_branches_not_taken_do_nothing() -> None:
    text = (
        "// @#if\n/* @#for\n*/\n@#if false\n@{not_defined}\n@#include 'nowhere'\n@#error"
        " 'no'\n@#endif\nkept"
    )
    assert [line.text for line in expanded(text) if line.text.strip()] == ["kept"]


def test_included_files_are_looked_for_in_their_own_folder_and_in_the_paths(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "one.inc").write_text('@#include "two.inc"')
    (tmp_path / "inner" / "two.inc").write_text("two")
    assert expanded('@#include "inner/one.inc"', tmp_path)[0].text == "two"
    assert expanded('@#includepath "inner"\n@#include "two.inc"', tmp_path)[0].text == "two"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@#if 1\nx", "model.mod:1: '@#if' is not closed"),
        ("x\n@#endif", "model.mod:2: '@#endif' has no beginning"),
        ("@#for i in 1:2\n@#endif", "needs '@#endfor'"),
        ("\n@{a}", "model.mod:2: the macro variable 'a' is not defined"),
        ("@{1 +}", "is not understood"),
        ("@{1", "is not closed"),
        ("@{}", "missing"),
        ("@#nonsense", "is not known"),
        ("@#error 'stop ' + 'here'", "stop here"),
        ("@#include 'nowhere.inc'", "'nowhere.inc' of @#include was not found"),
        (
            "@#define f(x) = f(x)\n@{f(1)}",
            "model.mod:2: macro expressions or functions nest more than",
        ),
        ("@{" + "(" * 300 + "1" + ")" * 300 + "+" + "-" * 300 + "1}", "nest more than"),
        ("@{1:10000000}", "more than 1,000,000 elements"),
        (
            "@#define s = 'abcdefghij'\n" + "@#define s = s + s\n" * 20,
            "more than 1,000,000 elements",
        ),
        ("@{1/0}", "has no value"),
        ("@{10^1000}", "has no value"),
        ("@{(-1)^0.5}", "no real value"),
        ("@{[1, 2][3]}", "outside of 1 to 2"),
        ("@{1 + 'a'}", "needs a number"),
        ("@#if 'a'\n@#endif", "a condition must be"),
        ("@#for (i, j) in 1:2\n@#endfor", "needs tuples of 2"),
        ("@#for i in 1\n@#endfor", "a loop needs an array"),
        ("@#if true\n" * 100 + "@#endif\n" * 100, "nest more than"),
        ("@#define x = 1 \\", "the file ends here"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ModFileError) as error:
        expanded(text)
    assert message in str(error.value)


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "self.inc"
    path.write_text('@#include "self.inc"')
    with pytest.raises(ModFileError, match="include itself"):
        expanded('@#include "self.inc"', tmp_path)


def test_loops_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.modfile.reading.macro.MOST_LINES", 1000)
    with pytest.raises(ModFileError, match=r"model.mod:2: .* expand to more than 1,000 lines"):
        expanded("@#for i in 1:100\n@#for j in 1:100\n@#endfor\n@#endfor")
