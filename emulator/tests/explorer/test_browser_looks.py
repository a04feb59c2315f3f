"""The page for everybody: keyboard, phone, light and dark, an audit of accessibility."""

import re

import pytest

from emulator.tests.explorer.browsing import (
    OF_COLOURS,
    live,
    opened,
    settled,
    until,
    violations,
    visit,
)


def test_by_keyboard_alone(page):
    visit(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "r-kappa":
            break
    before = live(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    until(page, "Number(document.querySelector('#p-kappa').value) > 0.1")
    settled(page)
    assert live(page) != before
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.focus("#world")
    page.keyboard.press("ArrowDown")
    until(page, "location.search.includes('world=var')")
    until(page, "document.activeElement.id == 'world'")


def test_on_a_phone_the_picture_stays_while_sliders_are_moved(chromium, site):
    context = opened(
        chromium,
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    page.goto(f"{site}?world=nk")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#r-sigma_m").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#r-sigma_m').scrollIntoView({block: 'end'})")
    plots = [box for box in (plot.bounding_box() for plot in page.locator(".plot").all()) if box]
    assert len(plots) == 3
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 844 for box in plots)
    slider = page.locator("#r-sigma_m").bounding_box()
    assert slider["y"] > plots[-1]["y"] + plots[-1]["height"]
    assert slider["height"] >= 24
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(chromium, site, scheme):
    context = opened(chromium, color_scheme=scheme)
    page = context.new_page()
    page.goto(site)
    settled(page)

    def brightness():
        return sum(
            map(
                int,
                re.findall(
                    r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor")
                )[:3],
            )
        )

    assert (brightness() > 600) == (scheme == "light")
    page.select_option("#theme", "dark" if scheme == "light" else "light")
    assert (brightness() > 600) == (scheme == "dark")
    page.reload()
    assert (brightness() > 600) == (scheme == "dark")
    context.close()


@pytest.mark.parametrize("width", [1400, 390])
def test_an_audit_of_accessibility_finds_nothing(chromium, site, width):
    """The dark theme differs by its colours alone."""
    context = opened(
        chromium, color_scheme="light", viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"{site}?world=nk&with=sw07&p.kappa=0.9&pin=world%3Dnk%26p.kappa%3D0.3")
    settled(page)
    page.click("#numbers summary")
    assert violations(page) == []
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert violations(page, OF_COLOURS) == []
    context.close()
