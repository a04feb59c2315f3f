"""Small files that stand for any amount of work or memory: each ends in one message that names what
was exceeded and what to do, before the work is done. Large published models stay within the budget.
"""

import time
import warnings

import pytest

from emulator.errors import ModFileError, ModFileWarning
from emulator.modfile import irf, load, load_text
from emulator.modfile.reading.budget import MOST_MEMORY, MOST_WORK, Budget
from emulator.modfile.reading.parser import parse_text
from emulator.modfile.reading.syntax import Place

BASE = (
    "var x;\nvarexo e;\nparameters a;\na = .5;\nmodel;\nx = a*x(-1) + e;\nend;\nshocks; var e;"
    " stderr 1; end;\nstoch_simul(order=1);\n"
)
LONG = "@#define s = 1:900000\n"
TEXT = '@#define s = "x"\n@#for i in 1:19\n@#define s = s + s\n@#endfor\n'


def names(count, separator=" "):
    return separator.join(f"x{k}" for k in range(count))


def model_of(count, equation, head="model(linear);"):
    equations = "\n".join(equation(k) for k in range(count))
    return (
        f"var {names(count)};\nvarexo e;\n{head}\n{equations}\nend;\n"
        "shocks; var e; stderr 1; end;\nstoch_simul(order=1);\n"
    )


BOMBS = {
    "sums of a long array": (LONG + "@#define t = [sum(s) for i in 1:300000]\n", 2, "macro"),
    "picks from a long array": (
        LONG + "@#define t = [isempty(s[s]) for i in 1:9999]\n",
        2,
        "macro",
    ),
    "long arrays compared": (LONG + "@#define t = [s == s for i in 1:9999]\n", 2, "macro"),
    "long arrays searched": (LONG + "@#define t = [(0 in s) for i in 1:9999]\n", 2, "macro"),
    "long arrays kept": ("@#define s = [1:1000000 for i in 1:9999]\n", 1, "macro"),
    "long arrays defined": (
        "".join(f"@#define s{k} = 1:1000000\n" for k in range(50)),
        None,
        "macro",
    ),
    "a text copied": (TEXT + "@#define t = [s + s for i in 1:9999]\n", 5, "macro"),
    "three loops": (
        "@#for i in 1:1000\n@#for j in 1:1000\n@#for k in 1:1000\n@#endfor\n@#endfor\n@#endfor\n",
        None,
        "lines",
    ),
    "three loops in an array": (
        "@#define s = [sum([sum([1 for i in 1:1000]) for j in 1:1000]) for k in 1:1000]\n",
        1,
        "macro",
    ),
    "a long text written often": (TEXT + "a = " + "@{s}" * 20_000 + ";\n", 5, "expansion"),
    "a text too long": ("q = [" + "1, " * 1_000_000 + "];\n", 1, "expansion"),
    "long lags": (
        model_of(150, lambda k: f"x{k} = .5*x{k}(-500) + e;"),
        3,
        "2,896 variables, those for long leads and lags included",
    ),
    "many equations": (
        model_of(4000, lambda k: f"x{k} = .5*x{k}(-1) + .1*x{(k + 1) % 4000}(+1) + e;"),
        3,
        "4,000 variables",
    ),
    "many shocks": (
        f"var y;\nvarexo {names(4000)};\nmodel(linear);\ny = .5*y(-1) + {names(4000, ' + ')};\n"
        "end;\nshocks;\n"
        + "\n".join(f"var x{k}; stderr 1;" for k in range(4000))
        + "\nend;\nstoch_simul(order=1);\n",
        3,
        "4,000 variables",
    ),
    "every variable in every equation": (
        model_of(120, lambda k: f"x{k} = e + {names(120, '(-1)/999 + ')};"),
        None,
        "derivatives of an equation",
    ),
    "initial values at every place": (
        BASE.replace("shocks;", "initval; x = a; end;\na = .5;\n" * 3000 + "shocks;", 1),
        None,
        "statements",
    ),
    "options without end": (
        BASE + "".join(f"stoch_simul(o{k});\n" for k in range(3000)),
        None,
        "statements",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_one_message_with_its_line(name):
    text, line, words = BOMBS[name]
    text = text if "model" in text else text + BASE
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModFileWarning)
        with pytest.raises(ModFileError) as raised:
            load_text(text, "bomb.mod")
    message = str(raised.value)
    assert words in message
    assert message.startswith(f"bomb.mod:{line}: " if line else "bomb.mod:")
    assert len(message) < 400
    assert time.process_time() - started < 15.0


@pytest.mark.parametrize("where", ["var x;", "+ e;", "a = .5;"])
def test_a_name_of_any_length_is_read_in_linear_time(where):
    text = BASE.replace(where, where.replace(";", " ") + " n" + "n" * 200_000 + ";")
    started = time.process_time()
    with pytest.raises(ModFileError) as raised:
        load_text(text, "m.mod").theta()
    assert len(str(raised.value)) < 400
    assert time.process_time() - started < 5.0


def test_pieces_of_one_long_statement_are_cut_in_linear_time():
    listed = "\n,".join(f"p{k}" for k in range(60_000))
    started = time.process_time()
    file = parse_text(BASE + f"stoch_simul({listed});\n", "m.mod")
    assert len(file.statements[-1].options) == 60_000
    assert time.process_time() - started < 10.0


def test_a_directive_of_many_lines_is_read_in_linear_time():
    text = "@#define s = [0" + "\\\n".join([", 1"] * 40_000) + "]\n" + BASE
    started = time.process_time()
    assert len(parse_text(text, "m.mod").variables) == 1
    assert time.process_time() - started < 10.0


def test_a_large_model_stays_far_within_the_budget():
    """1,400 equations in seven variables each, as the largest published models have."""
    from emulator.modfile.compiling.symbolic import symbolic_model

    text = model_of(
        1400,
        lambda k: (
            f"x{k} = .5*x{k}(-1)^a + .1*log(1 + x{(k + 1) % 1400}(+1)^2)"
            f" + e - .3*x{(k + 3) % 1400}*x{(k + 4) % 1400} + x{(k + 7) % 1400};"
        ),
        head="parameters a; a = 0.9;\nmodel;",
    )
    budget = Budget()
    file = parse_text(text, "large.mod", budget)
    symbolic_model(file, budget=budget)
    budget.model(1400)
    assert budget.work < MOST_WORK / 2
    assert budget.memory + 8 * 16 * 1400**2 < MOST_MEMORY / 2


@pytest.mark.fast
def test_the_budget_names_the_place_and_what_to_do():
    budget = Budget(place=Place("m.mod", 7))
    budget.spend(MOST_WORK, "this", "Do that.")
    with pytest.raises(ModFileError, match=r"m\.mod:7: more: this takes .* work .* Do that\."):
        budget.spend(1, "more", "Do that.")
    with pytest.raises(ModFileError, match=r"1,024 MB of memory"):
        budget.hold(MOST_MEMORY + 1, "more", "Do that.")


ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m"


@pytest.mark.fast
@pytest.mark.parametrize(
    "text",
    [
        f'@#error "{ESCAPES}"\n' + BASE,
        BASE.replace("+ e", f"+ e{ESCAPES}"),
        BASE.replace("var x;", f"var x '{ESCAPES}';"),
        BASE.replace("a = .5;", f"a = .5{ESCAPES};"),
        f'@#include "{ESCAPES}"\n' + BASE,
    ],
)
def test_escape_sequences_of_a_file_never_reach_a_terminal(emulate, tmp_path, text):
    path = tmp_path / "m.mod"
    path.write_text(text)
    with pytest.raises(ModFileError) as raised:
        load(path)
    _, out, err = emulate("worlds", path)
    for shown in (str(raised.value), out, err):
        assert not any(letter in shown for letter in "\x1b\x07\x9b")


@pytest.mark.fast
def test_notes_and_names_of_files_are_shown_without_escape_sequences(tmp_path):
    path = tmp_path / "\x1b[2Jm.mod"
    path.write_text(BASE + f"disp('{ESCAPES}');\nstoch_simul(order=2);\n")
    with pytest.warns(ModFileWarning) as warned:
        answer = irf(path, 1)
    for shown in (answer.attrs["notes"], answer.attrs["run"], *(str(w.message) for w in warned)):
        assert "\x1b" not in shown
    with pytest.raises(ModFileError) as raised:
        load(tmp_path / "\x1b[2Jabsent.mod")
    assert "\x1b" not in str(raised.value)
