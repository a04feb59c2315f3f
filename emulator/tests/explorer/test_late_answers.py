"""Answers that come late, in a real browser: none undoes what was chosen meanwhile."""

import time
from contextlib import contextmanager

import pytest

from emulator.tests import commands
from emulator.tests.explorer.browsing import settled, until, visit


@contextmanager
def answers_held(page):
    """Keep every answer of the server back until the block ends, which has to ask for some."""
    requests = []
    holding = True

    def keep(request):
        if holding:
            requests.append(request)
        else:
            request.continue_()

    page.route("**/*", keep)
    yield
    deadline = time.monotonic() + commands.PATIENCE
    while not requests:
        assert time.monotonic() < deadline, "the page asked for nothing"
        page.wait_for_timeout(10)
    holding = False
    for request in requests:
        request.continue_()


@pytest.mark.parametrize(
    ("act", "then"),
    [
        (lambda page: page.click("#pin"), "location.search.split('pin=').length == 3"),
        (lambda page: page.click(".legend a[data-unpin]"), "!location.search.includes('pin=')"),
        (lambda page: page.check("#with-sw07"), "document.querySelector('.plot path.line.c1')"),
        (lambda page: page.click("#defaults"), "document.querySelector('#p-kappa').value == '0.1'"),
        (lambda page: page.select_option("#shock", "demand"), "document.title"),
        (lambda page: page.go_back(wait_until="commit"), "document.title"),
    ],
    ids=["pin", "unpin", "overlay", "defaults", "shock", "back"],
)
def test_a_late_answer_never_undoes_a_newer_value(page, act, then):
    visit(page, "p.kappa=0.2&pin=world%3Dnk%26shock%3Dmonetary%26p.kappa%3D0.3")
    page.fill("#horizon", "12")
    page.press("#horizon", "Tab")
    settled(page)
    with answers_held(page):
        act(page)
        page.fill("#p-phi_pi", "2.5")
        page.press("#p-phi_pi", "Tab")
    until(page, then)
    until(page, "location.search.includes('p.phi_pi=2.5')")
    settled(page)
    assert page.locator("#p-phi_pi").input_value() == "2.5"
    assert float(page.locator("#r-phi_pi").input_value()) == 2.5
    assert "phi_pi=2.5" in page.locator(".legend").inner_text()


def test_a_value_typed_while_another_world_is_on_its_way_stays(page):
    visit(page, "p.kappa=0.3")
    with answers_held(page):
        page.select_option("#world", "rbc")
        page.fill("#p-kappa", "0.4")  # of the world that is being left
        page.fill("#horizon", "8")
        page.press("#horizon", "Tab")
    until(page, "document.querySelector('#p-frisch')")
    settled(page)
    assert page.locator("#horizon").input_value() == "8"
    assert "horizon=8" in page.url
    assert "kappa" not in page.url
    assert page.locator("#error").inner_text() == ""


def test_a_scenario_that_cannot_be_drawn_is_not_pinned(page):
    visit(page)
    page.fill("#p-kappa", "")
    page.click("#pin")
    until(page, "document.querySelector('#error').textContent.includes('finite')")
    page.fill("#p-kappa", "0.2")
    until(page, "document.querySelector('#error').textContent == ''")
    assert "pin=" not in page.url
