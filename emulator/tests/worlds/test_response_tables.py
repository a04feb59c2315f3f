"""Printed tables of responses: whole at 80 columns, for any number of observables."""

import re

import numpy as np
import pytest
from rich.console import Console

from emulator.tests.worlds.tiny import NAMES
from emulator.worlds.response_tables import ROOM, ResponseTable, response_tables

pytestmark = pytest.mark.fast


def printed(n, band=False, last=40, names=None, scale=1.0):
    names = list(names or NAMES[:n])
    irf = scale * np.random.default_rng(0).normal(size=(last + 1, n))
    shown = ResponseTable(
        title="tiny: money, 1 sd, exact solution",
        first="horizon",
        observables=[name for name, _ in names],
        units=[unit for _, unit in names],
        irf=irf,
        half_width=0.1 * abs(irf) if band else None,
    )
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    for table in response_tables(shown):
        console.print(table)
    return irf, console.export_text()


@pytest.mark.parametrize("band", [False, True])
@pytest.mark.parametrize("n", [1, 2, 5, 7, 8, 12])
def test_tables_are_whole_at_80_columns(n, band):
    irf, text = printed(n, band)
    assert max(map(len, text.rstrip().splitlines())) <= ROOM
    for name, _ in NAMES[:n]:
        count = len(re.findall(rf"\b{name}\b", text))
        assert count == (1 if band or n <= 8 else text.count("horizon"))
    whole = text.replace("+", "")
    form = ".4f" if band or n <= 8 else ".3g"
    for k in [k for k in range(n) if NAMES[k][1] == "percent"]:
        assert f"{irf[8, k]:{form}}" in whole
    assert ("±" in text) == band
    assert text.count("continued") == text.count("horizon") - 1


def test_many_variables_of_one_unit_are_rows_with_the_unit_below():
    _, text = printed(40, names=[(f"v{k}", "in the units of the file") for k in range(40)])
    assert text.count("in the units of the file") == 1
    assert text.count(" v39 ") == text.count("horizon")
    assert max(map(len, text.rstrip().splitlines())) <= ROOM


def test_small_numbers_in_a_unit_of_one_s_own_keep_their_digits():
    irf, text = printed(1, names=[("loans", "billions of crowns")], scale=1e-6, last=3)
    assert f"{irf[2, 0]:+.4g}" in text


def test_names_that_look_like_markup_are_shown_as_they_stand():
    _, text = printed(2, names=[("[bold]x[/bold]", "[red]"), ("y", "[link=a]b")])
    assert "[bold]x[/bold]" in text
    assert "[red]" in text
