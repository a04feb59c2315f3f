"""The page in a real browser: open, drag, overlay, pin, upload, download, back button, keyboard,
phone, light and dark.

Skipped where there is no Chromium or no Playwright, unless $EMULATOR_BROWSER_TESTS is set: then
that is a failure.
"""

import io
import os
import re
import time
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.explorer.economies import Economies
from emulator.explorer.screenshot import browser as installed
from emulator.explorer.serve import served
from emulator.tests.explorer.test_uploads import MAPPING, MOD

DEMANDED = bool(os.environ.get("EMULATOR_BROWSER_TESTS"))
if DEMANDED:
    from playwright import sync_api
else:
    sync_api = pytest.importorskip("playwright.sync_api")
    if installed() is None:
        pytest.skip("no Chromium is installed", allow_module_level=True)

DRAG_STEPS = 12


@pytest.fixture(scope="module")
def site(network):
    with served(Economies(network)) as place:
        yield place


@pytest.fixture(scope="module")
def chromium():
    assert installed() is not None, "Browser tests were demanded, and no Chromium is installed."
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = playwright.chromium.launch(executable_path=installed(), args=arguments)
        yield found
        found.close()


@pytest.fixture
def page(chromium, site):
    """A window, 1400 by 900; the test fails if a script does, or if anything is asked of another
    place.
    """
    context = chromium.new_context(
        viewport={"width": 1400, "height": 900}, base_url=site, accept_downloads=True
    )
    found, trouble = context.new_page(), []
    found.on("pageerror", lambda error: trouble.append(str(error)))
    found.on(
        "console",
        lambda message: (
            trouble.append(message.text)
            if message.type == "error" and "400" not in message.text
            else None
        ),
    )
    found.on(
        "request",
        lambda request: (
            trouble.append(request.url) if not request.url.startswith((site, "data:")) else None
        ),
    )
    yield found
    context.close()
    assert trouble == []


def until(page, expression, seconds=60):
    """Wait until an expression of JavaScript holds; asked from outside, since the page's own policy
    lets no text become a script.
    """
    deadline = time.monotonic() + seconds
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


def test_it_opens_with_band_and_exact_line(page):
    visit(page)
    assert page.title().startswith("Three-equation New Keynesian model")
    assert page.locator(".plot svg[role=img]").count() == 3
    assert page.locator(".plot path.band").count() == 3
    assert page.locator(".plot path.dashed").count() == 3
    assert page.locator("input[type=range]").count() == 12


def test_dragging_redraws_and_the_address_follows(page, network):
    visit(page)
    before = live(page)
    while_dragging = drag(page, "kappa", 0.2, 0.9)
    assert while_dragging != before
    until(page, "location.search.includes('p.kappa')")
    value = float(page.locator("#p-kappa").input_value())
    assert 0.4 < value < 0.5
    assert f"p.kappa={value}" in page.url
    settled(page)
    told = page.locator(".plot svg").first.get_attribute("aria-label")
    expected = network.irf("nk", kappa=value, shocks="monetary", horizon=20)["irf"].values[
        0, 0, 0, 0
    ]
    assert f"nk, kappa={value:g}: {expected:+.3f} in quarter 0" in told


def test_back_and_forward_restore_controls_and_picture(page):
    visit(page)
    first = live(page)
    drag(page, "kappa", 0.2, 0.8)
    settled(page)
    second, value = live(page), page.locator("#p-kappa").input_value()
    page.select_option("#shock", "demand")
    until(page, "document.querySelector('#drawn h2').textContent.startsWith('Demand')")
    page.go_back()
    until(page, "document.querySelector('#drawn h2').textContent.startsWith('Monetary')")
    settled(page)
    assert (live(page), page.locator("#p-kappa").input_value()) == (second, value)
    page.go_back()
    until(page, "document.querySelector('#p-kappa').value == '0.1'")
    settled(page)
    assert live(page) == first
    page.go_forward()
    until(page, f"document.querySelector('#p-kappa').value == '{value}'")


def test_an_address_that_is_sent_on_shows_the_same(page, chromium, site):
    visit(page, "with=zlb")
    drag(page, "phi_pi", 0.2, 0.6)
    until(page, "location.search.includes('p.phi_pi')")
    settled(page)
    other = chromium.new_context(viewport={"width": 1400, "height": 900}).new_page()
    other.goto(page.url)
    settled(other)
    assert live(other) == live(page)
    assert other.locator(".legend").inner_text() == page.locator(".legend").inner_text()
    other.context.close()


def test_overlay_pin_and_unpin(page):
    visit(page)
    page.check("#with-sw07")
    until(page, "document.querySelector('.plot path.line.c1')")
    assert "with=sw07" in page.url
    drag(page, "kappa", 0.2, 0.7)
    until(page, "location.search.includes('p.kappa')")
    page.click("#pin")
    until(page, "location.search.includes('pin=')")
    drag(page, "kappa", 0.7, 0.1)
    until(page, "document.querySelector('.legend').textContent.includes('pin 1: nk')")
    until(page, "document.querySelectorAll('.plot path.line.c2').length >= 3")
    page.click(".legend a[data-unpin]")
    until(page, "!location.search.includes('pin=')")
    until(
        page, "!document.querySelector('.plot path.line.c2')"
    )  # the address changes before the picture
    page.click("#defaults")
    until(page, "document.querySelector('#p-kappa').value == '0.1'")
    assert "with=sw07" in page.url


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
    deadline = time.monotonic() + 60
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


def test_another_world_keeps_the_shock_where_it_has_it(page):
    visit(page, "p.kappa=0.3")
    page.select_option("#world", "rbc")
    until(page, "document.querySelector('#p-frisch')")
    assert "shock=monetary" in page.url
    assert "kappa" not in page.url
    page.select_option("#shock", "technology")
    until(page, "location.search.includes('technology')")
    page.select_option("#world", "nk")
    until(page, "document.querySelector('#p-kappa')")
    assert page.locator("#shock").input_value() == "monetary"


def test_warnings_appear_and_go(page):
    visit(page)
    page.fill("#p-kappa", "0.9")
    until(
        page, "document.querySelector('#notes').textContent.includes('out of range: kappa = 0.9')"
    )
    page.fill("#p-kappa", "")
    until(page, "document.querySelector('#error').textContent.includes('finite')")
    page.fill("#p-kappa", "0.2")
    until(page, "!document.querySelector('#notes').textContent.includes('kappa')")
    assert page.locator("#error").inner_text() == ""
    page.fill("#size", "25 apples")
    until(page, "document.querySelector('#error').textContent.includes('25bp')")
    page.fill("#size", "25bp on rate")
    until(page, "document.querySelector('#drawn h2').textContent.includes('0.25 pp on rate')")


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


def test_upload_of_a_file_of_ones_own_and_of_a_broken_one(page, tmp_path):
    (tmp_path / "own.mod").write_text(MOD)
    (tmp_path / "own.world.yaml").write_text(
        MAPPING.replace("<b>memory</b>", "<img src=x onerror=window.hacked=1>")
    )
    (tmp_path / "broken.mod").write_text(MOD.replace("end;", "", 1))
    visit(page)
    page.set_input_files("#mod", tmp_path / "broken.mod")
    page.click("#upload button")
    until(page, "document.querySelector('#upload-error').textContent.includes('broken.mod:')")
    page.set_input_files("#mod", tmp_path / "own.mod")
    page.set_input_files("#mapping", tmp_path / "own.world.yaml")
    page.click("#upload button")
    until(page, "document.querySelector('#p-rho')")
    settled(page)
    assert re.search(r"world=own-[0-9a-f]{12}", page.url)
    before = live(page)
    drag(page, "rho", 0.5, 0.9)
    until(page, "location.search.includes('p.rho')")
    settled(page)
    assert live(page) != before
    assert page.evaluate("window.hacked") is None
    assert "onerror" in page.locator(".parameter").first.inner_text()


def test_downloads_hold_what_is_shown(page):
    visit(page)
    drag(page, "kappa", 0.2, 0.5)
    until(page, "location.search.includes('p.kappa')")
    value = float(page.locator("#p-kappa").input_value())
    content = {}
    for kind in ("csv", "png", "py"):
        with page.expect_download() as found:
            page.click(f'a[href*="/responses.{kind}"]')
        assert found.value.suggested_filename == f"responses.{kind}"
        content[kind] = found.value.path().read_bytes()
    table = pd.read_csv(io.BytesIO(content["csv"])).set_index("scenario")
    exact = emulator.world("nk").irf(kappa=value, shocks="monetary", horizon=20)["irf"].values[0, 0]
    np.testing.assert_allclose(
        table.loc[f"nk, kappa={value:g} (exact)", "output"], exact[:, 0], rtol=1e-12
    )
    assert content["png"].startswith(b"\x89PNG")
    assert f"'kappa': {value}".encode() in content["py"]


def test_the_table_opens_with_the_numbers(page):
    visit(page, "horizon=4")
    page.click("#numbers summary")
    until(page, "document.querySelectorAll('#table tbody tr').length == 5")


def test_on_a_phone_the_picture_stays_while_sliders_are_moved(chromium, site):
    context = chromium.new_context(
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
    context = chromium.new_context(color_scheme=scheme)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_an_audit_of_accessibility_finds_nothing(chromium, site, scheme, width):
    """axe-core: the rules of WCAG 2.2 A and AA that a program can check."""
    axe = (
        pytest.importorskip("axe_playwright_python.sync_playwright")
        if not DEMANDED
        else __import__("axe_playwright_python.sync_playwright", fromlist=["Axe"])
    )
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"{site}?world=nk&with=sw07&p.kappa=0.9&pin=world%3Dnk%26p.kappa%3D0.3")
    settled(page)
    page.click("#numbers summary")
    found = (
        axe.Axe()
        .run(
            page,
            options={
                "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
            },
        )
        .response
    )
    assert len(found["passes"]) > 20  # it did look
    assert [
        (rule["id"], rule["nodes"][0]["html"], rule["nodes"][0]["failureSummary"])
        for rule in found["violations"]
    ] == []
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("world=nk", "kappa"),
        ("world=nk&with=sw07&with=zlb&with=rbc", "phi_pi"),
        ("world=sw07", "xi_p"),
    ],
)
def test_from_slider_to_picture_in_under_100_ms(page, query, name):
    """The median over drags, from the event of the browser to the frame that shows the picture, as
    the page itself measures it.
    """
    visit(page, query)
    drag(page, name, 0.37, 0.43)
    page.wait_for_timeout(500)
    page.evaluate("performance.clearMeasures()")
    for start, end in (
        (0.31, 0.79),
        (0.83, 0.22),
        (0.24, 0.91),
    ):  # no value twice, since answers are kept
        drag(page, name, start, end)
    page.wait_for_timeout(500)
    took = page.evaluate(
        "performance.getEntriesByName('control to picture').map((measure) => measure.duration)"
    )
    assert len(took) > DRAG_STEPS
    print(
        f"\n{query}: {len(took)} pictures, median {np.median(took):.0f} ms, 95th percentile"
        f" {np.quantile(took, 0.95):.0f} ms"
    )
    assert np.median(took) < 100


def test_a_screenshot_by_the_command(emulate, tmp_path):
    code, out, _ = emulate(
        "explore",
        "--no-network",
        "--screenshot",
        tmp_path / "page.png",
        "--state",
        "http://127.0.0.1:8765/?world=nk&p.kappa=0.3",
    )
    assert code == 0
    assert "page.png" in out
    content = (tmp_path / "page.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 30_000
