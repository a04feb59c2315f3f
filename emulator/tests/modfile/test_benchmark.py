"""The referee of the benchmark: which lines of MATLAB are plain, what a declared run executes, and
when two answers differ.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

pytestmark = [pytest.mark.fast, pytest.mark.checkout]


@pytest.fixture(scope="module")
def benchmark():
    folder = str(Path(__file__).parents[3] / "benchmarks")
    sys.path.insert(0, folder)
    try:
        import collection
        import modfiles
        import referee

        yield modfiles, referee, collection
    finally:
        sys.path.remove(folder)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a = 0.3;", True),
        ("a = (1-b)^2*exp(-c)/1e-3; d = a", True),
        ("set_param_value('rho', 0.9);", True),
        ("a = mean(x);", False),
        ("a = b.c;", False),
        ("x(3) = 1;", False),
        ("a = [1 2];", False),
        ("disp(3)", False),
        ("for k = 1:3", False),
    ],
)
def test_plain_lines_are_assignments_of_arithmetic(benchmark, line, expected):
    assert benchmark[1].plain(line) is expected


def test_a_declared_run_leaves_matlab_out(benchmark):
    script = "M_.params = zeros(2,1);\na = 0.3;\ndisp(a);\nM_.params(1) = a;\nx = rand(3);\n"
    driver = benchmark[1].declared_part(script, ["a = 0.3;", "disp(a);", "x = rand(3);"])
    assert "disp" not in driver
    assert "rand" not in driver
    assert "try\na = 0.3;" in driver
    assert "M_.params(1) = a;" in driver


def test_answers_are_compared_by_name_and_relative_to_one(benchmark):
    modfiles, referee, _ = benchmark
    irf = np.arange(12.0).reshape(2, 3, 2)
    theirs = referee.Answer("solved", shocks=("e", "u"), variables=("x", "y"), irf=irf.tolist())
    turned = modfiles.Ours(("u", "e"), ("y", "x"), irf[::-1, :, ::-1])
    assert modfiles.compare(turned, theirs) == ("", 0.0, 0.0)
    moved = irf.copy()
    moved[1, 2, 0] += 1e-4
    reason, absolute, relative = modfiles.compare(
        modfiles.Ours(("e", "u"), ("x", "y"), moved), theirs
    )
    assert reason == "x to u at horizon 2"
    assert absolute == pytest.approx(1e-4)
    assert relative == pytest.approx(1e-5)
    assert (
        "shocks differ: u"
        in modfiles.compare(modfiles.Ours(("e",), ("x", "y"), irf[:1]), theirs)[0]
    )
    moved[0, 0, 0] = np.nan
    assert "not finite" in modfiles.compare(modfiles.Ours(("e", "u"), ("x", "y"), moved), theirs)[0]


def test_records_of_files_of_one_name_are_kept_apart(benchmark, tmp_path, monkeypatch):
    """By what the files hold, what lies beside them, Dynare's version and what is asked."""
    _, referee, collection = benchmark
    asked = []

    def recorded(octave, work, name, scripts, answer):
        asked.append((work / name).read_text())
        savemat(work / answer, {"record": {"text": asked[-1]}})
        return work / answer

    monkeypatch.setattr(collection, "recorded", recorded)
    octave = referee.Octave(tmp_path / "dynare", 1, 1.0)
    octave.dynare.mkdir()
    scripts, trees = tmp_path / "scripts", [tmp_path / "a" / "tree", tmp_path / "b" / "tree"]
    scripts.mkdir()

    def ask(tree, **options):
        file, cache = tree / "m.mod", tmp_path / "cache"
        return collection.record_of(tree, file, octave, cache, scripts, **options)["text"]

    for tree in trees:
        tree.mkdir(parents=True)
        (tree / "m.mod").write_text(tree.parent.name)
    assert [ask(tree) for tree in (*trees, *trees)] == ["a", "b", "a", "b"]
    assert asked == ["a", "b"]
    (octave.dynare / "dynare_version.m").write_text("v = '6';")
    (trees[1] / "beside.m").write_text("x")
    assert [ask(tree, changed=str.upper) for tree in trees] == ["A", "B"]
    assert ask(trees[0], asked="more") == "a"
    assert asked == ["a", "b", "A", "B", "a"]
