"""What tests of the page in a real browser share: who drives it, and its gestures.

They are skipped where there is no Chromium or no Playwright, unless $EMULATOR_BROWSER_TESTS is set:
then that is a failure.
"""

import importlib
import os
import time

import numpy as np
import pytest

from emulator.explorer.screenshot import browser as installed
from emulator.tests import commands

DEMANDED = bool(os.environ.get("EMULATOR_BROWSER_TESTS"))

DRAG_STEPS = 12


def playwright():
    """Playwright's module, where there is a Chromium for it to drive."""
    if DEMANDED:
        assert installed() is not None, "Browser tests were demanded; no Chromium is installed."
        return importlib.import_module("playwright.sync_api")
    if installed() is None:
        pytest.skip("no Chromium is installed")
    return pytest.importorskip("playwright.sync_api")


def opened(chromium, **options):
    """A window's own storage and settings; it waits as long as other tests do."""
    context = chromium.new_context(**options)
    context.set_default_timeout(1000 * commands.PATIENCE)
    return context


def until(page, expression):
    """Wait until an expression of JavaScript holds; asked from outside, since the page's own policy
    lets no text become a script.
    """
    deadline = time.monotonic() + commands.PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(30)


def settled(page):
    """Wait until the exact solution is drawn and nothing is on its way."""
    until(page, "document.querySelector('#picture').getAttribute('aria-busy') == 'false'")
    return page


def visit(page, query=""):
    page.goto(f"/?{query}")
    return settled(page)


def live(page):
    """The live line of the output panel, as it is drawn."""
    return page.locator(".plot").first.locator("path.line.c0:not(.dashed)").get_attribute("d")


def drag(page, name, start, end):
    """Drag a slider from one share of its range to another, in steps, and let go."""
    page.locator(f"#r-{name}").scroll_into_view_if_needed()
    box = page.locator(f"#r-{name}").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    for share in np.linspace(start, end, DRAG_STEPS):
        page.mouse.move(box["x"] + share * box["width"], y)
        page.wait_for_timeout(25)
    before_release = live(page)
    page.mouse.up()
    return before_release


WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""Rules of WCAG 2.2 A and AA that a program can check."""

OF_COLOURS = ("color-contrast", "link-in-text-block")
"""Those of them that look at colours."""


def violations(page, rules=WCAG):
    """What axe-core objects to."""
    name = "axe_playwright_python.sync_playwright"
    axe = importlib.import_module(name) if DEMANDED else pytest.importorskip(name)
    audit = axe.Axe().run(page, options={"runOnly": list(rules)}).response
    assert len(audit["passes"]) >= (20 if rules == WCAG else 1)  # it did look
    return [
        (rule["id"], rule["nodes"][0]["html"], rule["nodes"][0]["failureSummary"])
        for rule in audit["violations"]
    ]
