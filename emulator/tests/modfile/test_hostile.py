"""Broken and hostile files: each ends in one message with file and line, within seconds, and runs
nothing.
"""

import os
import re
import time
import warnings

import pytest

from emulator.errors import EmulatorError, ModFileError, NoSolutionError
from emulator.modfile import irf, load_text

pytestmark = pytest.mark.fast

BASE = (
    "var x;\nvarexo e;\nparameters a;\na = .5;\nmodel;\nx = a*x(-1) + e;\nend;\nshocks; var e;"
    " stderr 1; end;\nstoch_simul;\n"
)
SECONDS = 5.0
"""Of processor time."""


def message_of(path, error=EmulatorError):
    """What `irf` says of a file that it must refuse: soon, in few words."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error) as raised:
            irf(path, horizon=2)
    assert time.process_time() - started < SECONDS
    assert len(str(raised.value)) < 700
    return str(raised.value)


@pytest.fixture
def refused(tmp_path):
    def of(content, error=EmulatorError):
        path = tmp_path / "model.mod"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return message_of(path, error)

    return of


LOCALS = "model;\n# a1 = x + a;\n" + "".join(
    f"# a{k + 1} = a{k}*a{k} + a{k}/exp(a{k});\n" for k in range(1, 60)
)
BAD = {
    "empty": ("", 1, "empty"),
    "no model": ("var x;\n", 2, "no model block"),
    "truncated in a declaration": ("var x", 1, "';'"),
    "truncated in a block": (BASE[:60], 5, "'end;'"),
    "brackets": (BASE.replace("x(-1)", "x(-1))"), 6, "closes nothing"),
    "quote": (BASE.replace("var x;", "var x 'abc;"), 1, ""),
    "comment": ("/* never closed\n" + BASE, 1, "not closed"),
    "macro if": ("@#if 1\n" + BASE, 1, "@#endif"),
    "a Greek name": (BASE.replace("var x;", "var χ;"), 1, "χ"),
    "a Cyrillic twin": (BASE.replace("a*x(-1)", "a*х(-1)"), 6, "х"),
    "digits of another script": (BASE.replace(".5", "٣.٥"), 4, "٣"),
    "code as a name": (BASE.replace("a*x(-1)", "__import__('os').system('id')"), 6, "system"),
    "an undeclared name": (BASE.replace("a*x", "b*x"), 6, "'b' is not declared"),
    "too many equations": (BASE.replace("+ e;", "+ e; x = 0;"), 5, "2 equations for 1"),
    "too few equations": (
        BASE.replace("var x;", "var x y;").replace("+ e;", "+ y + e;"),
        5,
        "1 equations for 2",
    ),
    "an unused variable": (BASE.replace("var x;", "var x y;"), 1, "'y' is declared but"),
    "no equations": ("varexo e; model; end; shocks; var e; stderr 1; end;", 1, "no equations"),
    "the same equation twice": (
        "var x y; varexo e; model; x = y + e; x = y + e; end; shocks; var e; stderr 1; end;",
        1,
        "does not close",
    ),
    "no steady state": (BASE.replace("x = a", "1 + x^2 = a"), 5, "no steady state"),
    "a missing value": (BASE.replace("a = .5;", ""), 3, "'a' has no value"),
    "a division by zero": (BASE.replace("+ e", "+ e/0"), 6, "divides by zero"),
    "a size that is no number": (BASE.replace("stderr 1", "stderr 0/0"), 5, "stderr_e = nan"),
    "a negative variance": (BASE.replace("var e; stderr 1", "var e = -1"), 5, "covariance"),
    "a tower of powers": (BASE.replace("= .5", "= 2^(10^(10^10))"), 5, "not finite"),
    "a tower in the model": (BASE.replace("+ e", "+ e*exp(exp(exp(1000)))"), 5, "not finite"),
    "a tower in a macro": ("@#define t = 9^9^9^9\n" + BASE, 1, "no value"),
    "an endless range": ("@#for i in 1:1000000000\n@#endfor\n" + BASE, 1, "elements"),
    "loops in loops": (
        "@#for i in 1:100000\n@#for j in 1:100000\n@#endfor\n@#endfor\n" + BASE,
        2,
        "lines",
    ),
    "a text that doubles": (
        '@#define s = "x"\n@#for i in 1:40\n@#define s = s + s\n@#endfor\n' + BASE,
        3,
        "elements",
    ),
    "arrays of arrays": (
        "@#define s = [1, 2]\n@#for i in 1:60\n@#define s = [s, s]\n@#endfor\n" + BASE,
        3,
        "elements",
    ),
    "an endless macro function": (
        "@#define f(x) = f(x) + f(x)\n@#define s = f(1)\n" + BASE,
        2,
        "deep",
    ),
    "a file that includes itself": ('@#include "model.mod"\n' + BASE, 1, "include itself"),
    "deep brackets": (
        BASE.replace("+ e", "+ " + "(" * 100_000 + "e" + ")" * 100_000),
        6,
        "200 deep",
    ),
    "deep functions": (
        BASE.replace("+ e", "+ " + "exp(" * 190 + "e" + ")" * 190),
        5,
        "not finite",
    ),
    "locals that double": (
        BASE.replace("model;\n", LOCALS).replace("+ e", "+ e*a60"),
        None,
        "terms",
    ),
    "a lag of ages": (BASE.replace("x(-1)", "x(-1e9)"), 6, "500 periods"),
    "UTF-16": (BASE.encode("utf-16"), 1, "zero byte"),
    "a program": (b"\x7fELF\x02\x01\x00\x00" + bytes(range(256)), 1, "zero byte"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_message_with_the_line(refused, name):
    content, line, words = BAD[name]
    message = refused(content)
    place = re.search(r"model\.mod:(\d+): ", message)
    assert place, message
    assert line is None or int(place[1]) == line, message
    assert words in message


@pytest.mark.parametrize("exact", ["# a1 = 3;", "# a1 = 3/7;", "# a1 = 999983*x;"])
def test_exact_numbers_do_not_grow(tmp_path, exact):
    """Numbers that square themselves sixty times end as infinity in float64, not as digits without
    end.
    """
    path = tmp_path / "model.mod"
    squares = "".join(f"# a{k + 1} = a{k}^4;\n" for k in range(1, 60))
    path.write_text(
        BASE.replace("model;\n", f"model;\n{exact}\n{squares}").replace("+ e", "+ e*a60")
    )
    message_of(path)


def test_expressions_that_real_numbers_would_let_one_rewrite(tmp_path):
    path = tmp_path / "model.mod"
    path.write_text(
        BASE.replace("+ e", "+ sqrt((x - 2)^2) + ((x - 3)^2)^a - 5 + e").replace(
            "shocks;", "initval; x = 0; end;\nshocks;", 1
        )
    )
    root = irf(path, horizon=1).values[0, :, 0]
    assert root[0] == pytest.approx(1 / 3)  # x = x_1/2 + (2 - x) + (3 - x) - 5 + e
    assert root[1] == pytest.approx(1 / 3 / 6)


def test_what_is_no_file_of_text_is_told(tmp_path):
    folder = tmp_path / "folder.mod"
    folder.mkdir()
    assert "folder" in message_of(folder, ModFileError)
    assert "no such file" in message_of(tmp_path / "absent.mod", ModFileError)
    os.mkfifo(tmp_path / "pipe.mod")
    assert "regular file" in message_of(tmp_path / "pipe.mod", ModFileError)
    (tmp_path / "zero.mod").symlink_to("/dev/zero")
    assert "regular file" in message_of(tmp_path / "zero.mod", ModFileError)
    (tmp_path / "large.mod").write_bytes(b"// " + b"x" * 11_000_000)
    assert "bytes" in message_of(tmp_path / "large.mod", ModFileError)


def test_an_include_reads_no_other_file_of_the_machine(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the hidden word\n")
    model = tmp_path / "models" / "model.mod"
    model.parent.mkdir()
    for name in ("../secret", str(secret)):
        model.write_text(f'@#include "{name}"\n' + BASE)
        message = message_of(model, ModFileError)
        assert "outside of the model's folder" in message
        assert "hidden" not in message
    (model.parent / "link.inc").symlink_to(secret)
    model.write_text('@#include "link.inc"\n' + BASE)
    assert "outside of the model's folder" in message_of(model, ModFileError)


@pytest.mark.parametrize(
    "directive",
    [
        '@#include "common.mod"',
        '@#/**/include "common.mod"',
        '@#define file = "common.mod"\n@#include file',
        '@#if true\n@#include "common.mod"\n@#endif',
        '@#includepath "."',
        '@#/**/includepath "."',
    ],
)
def test_a_text_at_hand_includes_no_file(tmp_path, monkeypatch, directive):
    (tmp_path / "common.mod").write_text("// a model of this machine\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModFileError, match="the text stands alone"):
        load_text(f"{directive}\n{BASE}", "model.mod")


def test_an_include_beside_the_folder_is_read_if_it_is_a_model_file(tmp_path):
    (tmp_path / "common.inc").write_text("shocks; var e; stderr 1; end;\n")
    model = tmp_path / "models" / "model.mod"
    model.parent.mkdir()
    model.write_text(BASE.replace("shocks; var e; stderr 1; end;", '@#include "../common.inc"'))
    assert irf(model, horizon=0).values[0, 0, 0] == pytest.approx(1.0)


def test_an_expression_is_never_run(tmp_path):
    target = tmp_path / "touched"
    for text in (
        f"a = __import__('os').system('touch {target}');",
        f"system('touch {target}');",
        f"verbatim;\nsystem('touch {target}');\nend;",
    ):
        path = tmp_path / "model.mod"
        path.write_text(BASE.replace("a = .5;", text))
        message_of(path)
    assert not target.exists()


def test_roots_are_counted_in_the_message(refused):
    assert "2 stable root(s) for 1" in refused(
        BASE.replace("a*x(-1)", "0.2*x(-1) + 2*x(+1)"), NoSolutionError
    )
    assert "0 stable root(s) for 1" in refused(BASE.replace("a = .5", "a = 1.5"), NoSolutionError)
