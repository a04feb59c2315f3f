"""Our reading of a file and that of Dynare's preprocessor agree: names, texts, tags, and the value
of every equation.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.errors import ModFileError
from emulator.modfile.reading.parser import parse
from emulator.tests.modfile.reading.referee import PREPROCESSOR, differences, dynare_reads

FILES = sorted((Path(__file__).parent / "files").glob("*.mod"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PREPROCESSOR is None, reason="dynare-preprocessor is not installed"),
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_preprocessor_reads_the_same(path: Path) -> None:
    theirs = dynare_reads(path)
    assert isinstance(theirs, dict), theirs
    assert differences(parse(path), theirs) == []


def test_the_referee_can_say_no(tmp_path: Path) -> None:
    text = "var y z; varexo e; parameters a; model; y = a*y(-1) + e; z = y^2; end;"
    one, other = tmp_path / "one.mod", tmp_path / "other.mod"
    one.write_text(text)
    for old, new in (("y(-1)", "y(-2)"), ("+ e", "+ e*1.000001"), ("y^2", "y^3")):
        other.write_text(text.replace(old, new))
        theirs = dynare_reads(other)
        assert isinstance(theirs, dict)
        assert len(differences(parse(one), theirs)) >= 1


@pytest.mark.parametrize(
    "model",
    [
        "y = a^2^3;",
        "y = e*(a;",
        "y = e + unknown;",
        "y = unknown(1);",
        "y = y(a);",
        "y = x**2;",
        "y = 1 2;",
        "y = e; # y = 3;",
        "y = min(a);",
        "y = normcdf(a, 1);",
        "y = e\ny = 2;",
        "y = = 2;",
        "y = a b;",
    ],
)
def test_what_we_refuse_the_preprocessor_refuses_too(model: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.mod"
    path.write_text(f"var y; varexo e; parameters a; model; {model} end;")
    assert isinstance(dynare_reads(path), str)
    with pytest.raises(ModFileError):
        parse(path)
