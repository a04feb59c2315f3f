"""What the documentation site makes of docstrings, commands and scripts."""

from __future__ import annotations

import importlib
import json
import sys

import pytest
import typer

from emulator import cli
from emulator.tests.docs.test_pages import ROOT

pytestmark = [pytest.mark.checkout, pytest.mark.fast]


@pytest.fixture
def part(monkeypatch):
    """One of the modules that make parts of the site."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    yield importlib.import_module
    for name in ("docstrings", "commands", "percent"):
        sys.modules.pop(name, None)


def test_docstrings_link_names_and_keep_code(part):
    lines = [
        'Raises `ParameterError`; y_1 * 2 with `size="25bp"` and a trailing_.',
        "",
        "    y = A|y_1",
        "",
        "After.",
    ]
    restructured = list(part("docstrings").restructured(lines))
    assert (
        restructured[0]
        == 'Raises :py:obj:`ParameterError`; y_1 \\* 2 with ``size="25bp"`` and a trailing\\_.'
    )
    assert restructured[1:] == ["", "", "::", "", "    y = A|y_1", "", "", "After."]


def test_lists_in_docstrings_stay_lists(part):
    assert list(part("docstrings").restructured(["Two:", "- one", "  goes on", "- `two`"])) == [
        "Two:",
        "",
        "- one",
        "  goes on",
        "- :py:obj:`two`",
    ]


def test_every_command_and_option_is_in_the_reference(part):
    text = part("commands").reference()
    group = typer.main.get_command(cli.app)
    context = typer.Context(group)
    known = {name: group.get_command(context, name) for name in cli.COMMANDS}
    assert {"irf", "compare", "generate", "train", "estimate", "explore"} <= set(known)
    for name, command in known.items():
        assert text.count(f"## `emulator {name}`\n") == 1
        section = text.split(f"## `emulator {name}`\n")[1].split("\n## ")[0]
        options = [option for p in command.params for option in p.opts if option.startswith("--")]
        missing = [option for option in options if f"`{option}`" not in section]
        assert not missing, name
    irf = text.split("## `emulator irf`")[1].split("\n## ")[0]
    assert "emulator irf WORLD [OPTIONS]" in irf
    assert "| `--output`, `--csv` `PATH` |" in irf
    assert "| `--exact` |" in irf
    assert "`--size` `TEXT` | `1` |" in irf


SCRIPT = """# %% [markdown]
# # Title
#
# Text.

# %%
N = 300
print(N)
open('ran.txt', 'a').write('x')

# %%
open('figure.png', 'w').close()
"""


def test_a_script_becomes_text_and_code(part):
    text, code, last = part("percent").cells(SCRIPT)
    assert (text.text, text.is_code) == ("# Title\n\nText.", False)
    assert (code.text.splitlines()[0], code.line, code.is_code) == ("N = 300", 7, True)
    assert last.text == "open('figure.png', 'w').close()"


def test_scripts_run_with_other_values_and_once(part, monkeypatch, tmp_path):
    percent = part("percent")
    monkeypatch.setattr(percent, "RUNS", tmp_path)
    script = tmp_path / "small.py"
    for _ in range(2):
        folder = percent.run(script, SCRIPT, {"N": "20"})
        results = json.loads((folder / "cells.json").read_text())
    assert [result["printed"] for result in results] == ["20\n", ""]
    assert [result["figures"] for result in results] == [[], ["figure.png"]]
    assert (folder / "ran.txt").read_text() == "x"
    with pytest.raises(RuntimeError, match="sets M 0 times"):
        percent.run(script, SCRIPT, {"M": "1"})
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        percent.run(script, "# %%\n1/0\n", {})


def test_what_a_cell_prints_and_draws_stands_below_it(part, monkeypatch, tmp_path):
    percent = part("percent")
    monkeypatch.setattr(percent, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(percent, "ROOT", tmp_path)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "small.py").write_text(SCRIPT)
    page = percent.page("small", {})
    order = [
        "# Title",
        "print(N)",
        "```text\n300\n```",
        "open('figure.png'",
        "![What the cell draws",
    ]
    assert [page.index(piece) for piece in order] == sorted(page.index(piece) for piece in order)


def test_formulas_and_copy_buttons_come_from_no_other_server(part):
    from importlib.metadata import distribution

    source = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    assert "http" not in source
    files = [str(file) for file in distribution("sphinx-mathjax-offline").files or ()]
    assert any(file.endswith("mathjax/tex-svg.js") for file in files)
