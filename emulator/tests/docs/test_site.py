"""What the documentation site makes of docstrings, commands and scripts."""

from __future__ import annotations

import importlib
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
    found = list(part("docstrings").restructured(lines))
    assert (
        found[0]
        == 'Raises :py:obj:`ParameterError`; y_1 \\* 2 with ``size="25bp"`` and a trailing\\_.'
    )
    assert found[1:] == ["", "", "::", "", "    y = A|y_1", "", "", "After."]


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


def test_a_script_becomes_text_and_code(part):
    cells = list(part("percent").cells("# %% [markdown]\n# # Title\n#\n# Text.\n\n# %%\nx = 1\n"))
    assert cells == ["# Title\n\nText.", "```python\nx = 1\n```"]


def test_scripts_run_with_other_values_and_once(part, monkeypatch, tmp_path):
    percent = part("percent")
    monkeypatch.setattr(percent, "RUNS", tmp_path)
    script = tmp_path / "small.py"
    text = "N = 300\nprint(N)\nopen('ran.txt', 'a').write('x')\n"
    for _ in range(2):
        folder = percent.run(script, text, {"N": "20"})
        assert (folder / "printed.txt").read_text() == "20\n"
    assert (folder / "ran.txt").read_text() == "x"
    with pytest.raises(RuntimeError, match="sets M 0 times"):
        percent.run(script, text, {"M": "1"})
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        percent.run(script, "1/0\n", {})
