"""From a whole file to what it says; and one clear message, with its line, for each way in which it
can be wrong.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.errors import ModFileError
from emulator.modfile.reading.parser import parse, parse_text
from emulator.modfile.reading.syntax import (
    Assignment,
    Call,
    Command,
    EstimatedParams,
    InitvalBlock,
    ModFile,
    Number,
    Operation,
    ShocksBlock,
    Skipped,
    SteadyStateModel,
    Symbol,
)

FILES = Path(__file__).parent / "files"
HEAD = "var y z; varexo e;\nparameters a b;\n"
A, B, Y = Symbol("a"), Symbol("b"), Symbol("y")


def model(text: str) -> ModFile:
    return parse_text(f"{HEAD}model;\n{text}\nend;")


def right(text: str) -> object:
    return model(f"y = {text};").model.equations[0].right


@pytest.mark.fast
@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("-a^2", Operation("neg", (Operation("^", (A, Number(2.0))),))),
        ("2^-a", Operation("^", (Number(2.0), Operation("neg", (A,))))),
        ("-a*b", Operation("*", (Operation("neg", (A,)), B))),
        ("a - b", Operation("-", (A, B))),
        ("a - b + y", Operation("+", (A, Operation("neg", (B,)), Y))),
        ("a + (b + (y + a))", Operation("+", (A, B, Y, A))),
        ("a*b/y*a", Operation("*", (Operation("/", (Operation("*", (A, B)), Y)), A))),
        ("y(+ 1) + y( -1)", Operation("+", (Symbol("y", 1), Symbol("y", -1)))),
        ("LN(a)", Call("log", (A,))),
        ("1d-3", Number(0.001)),
        ("a < b == y", Operation("==", (Operation("<", (A, B)), Y))),
        ("Steady_State(y)", Call("STEADY_STATE", (Y,))),
        ("EXPECTATION(-1)(y)", Call("EXPECTATION", (Number(-1.0), Y))),
        ("a(-1)", A),
    ],
)
def test_expressions(text: str, tree: object) -> None:
    assert right(text) == tree


@pytest.mark.fast
def test_equations_locals_and_tags() -> None:
    parsed = model("# k = a^2;\n[name = 'one; two', static] y = k*y(-1) + e;\n\nz - 2*y;").model
    assert [(local.name, local.place.line) for local in parsed.locals] == [("k", 4)]
    assert [equation.tags for equation in parsed.equations] == [
        {"name": "one; two", "static": ""},
        {},
    ]
    assert [equation.place.line for equation in parsed.equations] == [5, 7]
    assert parsed.equations[1].right == Number(0.0)


@pytest.mark.fast
def test_statements_of_a_whole_file() -> None:
    parsed = parse(FILES / "statements.mod")
    set_ = {s.name: s.place.line for s in parsed.statements if isinstance(s, Assignment)}
    assert set_ == {"base": 4, "twice": 4, "halved": 4, "alpha": 11, "rho": 12, "inner": 29}
    skipped = [
        (s.text, s.assigns) for s in parsed.statements if isinstance(s, Skipped) and s.nested
    ]
    assert skipped[:5] == [
        ("if alpha > 0.4", ()),
        ("rho = 0.8", ("rho",)),
        ("if rho > 1, alpha = 3; end", ()),
        ("x = list(end);", ("x",)),
        ("stoch_simul(order = 1) y", ()),
    ]
    [shocks] = [s for s in parsed.statements if isinstance(s, ShocksBlock)]
    assert [(moment.kind, moment.names) for moment in shocks.moments] == [
        ("stderr", ("e",)),
        ("var", ("u",)),
        ("covar", ("e", "u")),
        ("corr", ("u", "v")),
    ]
    assert (shocks.deterministic, shocks.overwrite) == (("v",), True)
    [estimated] = [s for s in parsed.statements if isinstance(s, EstimatedParams)]
    assert [
        (p.kind, p.prior, p.initial is not None, p.upper is not None) for p in estimated.parameters
    ] == [
        ("parameter", "beta", False, False),
        ("parameter", "uniform", True, False),
        ("stderr", "inv_gamma", True, True),
        ("corr", None, True, False),
    ]
    assert (estimated.parameters[1].third, estimated.parameters[1].fourth) == (
        Number(0.0),
        Number(1.0),
    )
    [steady] = [s for s in parsed.statements if isinstance(s, SteadyStateModel)]
    assert len(steady.assignments) == 2
    assert [s.kind for s in parsed.statements if isinstance(s, InitvalBlock)] == ["initval"]
    commands = {s.name: s for s in parsed.statements if isinstance(s, Command)}
    assert list(commands) == ["varobs", "steady", "check", "stoch_simul"]
    assert commands["stoch_simul"].options == {
        "order": "1",
        "irf": "20",
        "graph_format": "(eps, fig)",
        "nograph": "",
    }
    assert commands["stoch_simul"].names == ("y", "r")


@pytest.mark.fast
def test_declarations_of_a_whole_file() -> None:
    parsed = parse(FILES / "declarations.mod")
    assert [entry.name for entry in parsed.variables] == ["y", "c", "k", "pie"]
    assert [entry.name for entry in parsed.parameters] == [
        "alpha",
        "beta",
        "rho",
        "sigma_a",
        "late",
    ]
    assert (parsed.variables[0].long_name, parsed.variables[0].tex) == ("output; of goods", "{y_t}")
    assert (parsed.predetermined, parsed.external_functions) == (("k",), ("my_function",))
    assert [entry.name for entry in parse(FILES / "declared_in_model.mod").variables] == [
        "y",
        "x",
        "z",
    ]


@pytest.mark.fast
def test_trends_and_deflators() -> None:
    parsed = parse_text(
        "trend_var(growth_factor = 2) A; var(deflator = A) y; var(log) z; varexo e; parameters g;"
        " model; y = e; z = y; end;"
    )
    assert (parsed.trends[0].growth, parsed.variables[0].deflator, parsed.variables[1].log) == (
        Number(2.0),
        Symbol("A"),
        True,
    )


@pytest.mark.fast
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "model.mod"
    path.write_bytes("var y (long_name = 'größe'); varexo e; model; y = e; end;".encode(encoding))
    assert parse(path).variables[0].long_name == "größe"


@pytest.mark.fast
def test_the_hash_is_of_the_text_without_comments_and_macros() -> None:
    plain = "var y; varexo e; model;\ny = 2*e;\nend;"
    assert (
        parse_text(plain).sha256
        == parse_text("@#define n = 2\n" + plain.replace("2", "@{n}") + " // done").sha256
    )
    assert parse_text(plain).sha256 != parse_text(plain.replace("2", "3")).sha256


@pytest.mark.fast
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "model.mod:1: the file is empty"),
        ("var y;", "there is no model block"),
        (
            "var y;\nmodel;\ny = 1;\n",
            "model.mod:2: the block 'model' that begins here has no 'end;'",
        ),
        ("var y;\nmodel;\ny = 1\nend;", "model.mod:4: ';' was expected before 'end'"),
        (
            "var y;\nmodel;\ny = 1;\nshocks;\nend;",
            (
                "model.mod:4: 'end;' of the block 'model' that begins at line 2 was expected before"
                " 'shocks'"
            ),
        ),
        ("var y;\nmodel\ny = 1;\nend;", "';' was expected after 'model'"),
        ("var y;\nmodel(linear)\ny = 1;\nend;", "';' was expected after 'model', before 'y = 1'"),
        ("var y\nmodel;\ny = 1;\nend;", "model.mod:2: 'model' is a word of Dynare's"),
        (
            "var y; model; y = 1; end;\nsteady",
            "model.mod:2: the statement 'steady' that begins here has no ';'",
        ),
        (
            "var y;\nvarexo y;",
            "model.mod:2: 'y' is declared as a shock here, and as a variable at line 1",
        ),
        ("var exp;", "'exp' cannot be declared"),
        ("var y; y = 3;", "'y' is a variable; only parameters"),
        (
            "parameters a;\na = 3\na = 4;",
            (
                "model.mod:3: in the value of 'a', 'a' was not expected; an operator or ';' was. Is"
                " a ';' missing at the end of line 2?"
            ),
        ),
        (
            "var y; model; y = 1; end;\nif y",
            "model.mod:2: the 'if' or loop that begins here has no 'end'",
        ),
        ("var y; model; y = 1; end;\nend", "model.mod:2: this 'end' closes nothing"),
        ("var y; model; y = 1; end; shocks; stderr 1; end;", "'stderr' stands alone"),
        (
            "var y; model; y = 1; end; shocks;\nvar q; stderr 1; end;",
            "model.mod:2: 'q' in the block 'shocks' is not declared",
        ),
        (
            "var y; parameters a; model; y = 1; end; estimated_params;\na, 1, 2; end;",
            "model.mod:2: the line is not understood",
        ),
        ("/* var", "'/*' that begins here is not closed"),
        ("predetermined_variables k;", "'predetermined_variables' lists 'k'"),
        ("change_type(var) k;", "'k' is not declared"),
        ("external_function(nargs = 2);", "needs the name"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ModFileError) as error:
        parse_text(text)
    assert message in str(error.value)
    assert re.match(r"model\.mod:\d+: ", str(error.value))


@pytest.mark.fast
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y = unknown;", "'unknown' is not declared"),
        ("y = unknown(2);", "'unknown' is neither declared nor a function"),
        ("y = y(a);", "a whole number was expected"),
        ("y = (a;", "'(' is not closed"),
        ("y = a);", "')' closes nothing"),
        ("y = a**2;", "write x^2"),
        ("y = a^2^3;", "'^3' was not expected"),
        ("y = ;", "ends too early: an expression was expected before ';'"),
        ("y = min(a);", "'min' takes 2 arguments, found 1"),
        ("# y = 2;", "'# y' gives a new value to a variable"),
        ("y = " + "(" * 250 + "a" + ")" * 250 + ";", "brackets nest more than 200"),
        ("y = " + "-" * 5000 + "a;", "nests more than 200"),
        ("y = " + "a/" * 500 + "a;", "nests more than 200"),
        ("y = ?;", "'?' was not expected"),
    ],
)
def test_a_wrong_equation_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ModFileError, match=r"^model.mod:4: ") as error:
        model(text)
    assert message in str(error.value)


@pytest.mark.fast
def test_files_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "zero.mod").write_bytes(b"var y;\n\0")
    for path, message in (
        (tmp_path, "folder"),
        (tmp_path / "none.mod", "no such file"),
        (tmp_path / "zero.mod", ":2: a zero byte"),
    ):
        with pytest.raises(ModFileError, match=message):
            parse(path)


def test_long_chains_are_flat_and_quick() -> None:
    terms = model("y = " + " + ".join(["a", "(b - y)"] * 2000) + ";").model.equations[0].right
    assert isinstance(terms, Operation)
    assert len(terms.operands) == 4000


TEXTS = [(str(path), path.read_text(encoding="utf-8")) for path in sorted(FILES.glob("*.mod"))]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_a_damaged_file_gives_a_message_and_nothing_else(
    named: tuple[str, str], data: st.DataObject
) -> None:
    name, text = named
    for _ in range(data.draw(st.integers(1, 4))):
        at, to = (data.draw(st.integers(0, len(text))) for _ in range(2))
        kind = data.draw(st.sampled_from(["cut", "delete", "insert", "move"]))
        if kind == "cut":
            text = text[:at]
        elif kind == "delete":
            text = text[:at] + text[at + 1 :]
        elif kind == "insert":
            text = (
                text[:at]
                + data.draw(st.text("()[]{};,'\"$@#%/*=+-^|&!. \n\\a0é\0", max_size=3))
                + text[at:]
            )
        else:
            text = text[min(at, to) : max(at, to)] + text[: min(at, to)] + text[max(at, to) :]
    with contextlib.suppress(ModFileError):
        parse_text(text, name)
