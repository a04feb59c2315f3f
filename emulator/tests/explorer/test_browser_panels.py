"""The panels in a browser: axes that stay while a slider is dragged, the read-out, how many panels
fill the window, presets, the model's card and its mapping.
"""

import re

import pytest

from emulator.tests.explorer.browsing import (
    OF_COLOURS,
    drag,
    live,
    opened,
    settled,
    until,
    violations,
    visit,
)

NAMES = [f"v{k}" for k in range(14)]

FOURTEEN = f"""var {" ".join(NAMES)}; varexo e;
model(linear);
{"".join(f"{name} = 0.{k + 10}*{name}(-1) + e;" for k, name in enumerate(NAMES))}
end;
shocks; var e; stderr 1; end;
"""


def limits(page):
    return page.locator(".plot > svg").first.evaluate("svg => [svg.dataset.low, svg.dataset.high]")


def test_axes_stay_and_the_old_curve_is_a_ghost_while_a_slider_is_dragged(page):
    visit(page)
    axes, before = limits(page), live(page)
    page.locator("#r-sigma_m").scroll_into_view_if_needed()
    slider = page.locator("#r-sigma_m").bounding_box()
    y = slider["y"] + slider["height"] / 2
    page.mouse.move(slider["x"] + 0.44 * slider["width"], y)
    page.mouse.down()
    page.mouse.move(slider["x"] + 0.2 * slider["width"], y)
    until(page, "document.querySelectorAll('.plot path.ghost').length == 3")
    until(page, f"document.querySelector('.plot path.line.c0').getAttribute('d') != '{before}'")
    assert limits(page) == axes
    assert page.locator(".plot path.ghost").first.get_attribute("d") == before
    page.mouse.move(slider["x"] + 0.95 * slider["width"], y)
    until(page, f"document.querySelector('.plot > svg').dataset.low != '{axes[0]}'")  # it left them
    wide, far = limits(page), live(page)
    page.mouse.move(slider["x"] + 0.3 * slider["width"], y)
    until(page, f"document.querySelector('.plot path.line.c0').getAttribute('d') != '{far}'")
    assert limits(page) == wide
    page.mouse.up()
    settled(page)
    assert page.locator(".ghost").count() == 0
    assert limits(page) != wide
    page.focus("#r-kappa")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.plot path.ghost')")
    settled(page)
    assert page.locator(".ghost").count() == 0


def test_every_panel_is_read_off_under_the_mouse_and_by_keys(page, network):
    visit(page)
    box = page.locator(".plot").first.bounding_box()
    page.mouse.move(box["x"] + 46 + (box["width"] - 54) * 0.2, box["y"] + 100)
    until(page, "document.querySelectorAll('.readout').length == 3")
    output, inflation, rate = page.locator(".readout").all_inner_texts()
    assert output.startswith("quarter 4, percent")
    assert rate.startswith("quarter 4, annualised percentage points")
    expected = network.irf("nk", shocks="monetary", horizon=4)["irf"].values[0, 0, 4]
    shown = float(re.search(r"\n([+\u2212][\d.e-]+)", inflation)[1].replace("\u2212", "-"))
    assert shown == pytest.approx(expected[1], rel=1e-3)
    assert "nk (exact)" in inflation
    drag(page, "kappa", 0.2, 0.3)  # the mouse is elsewhere now
    until(page, "!document.querySelector('.readout')")
    settled(page)
    page.focus("#drawn")
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    said = page.locator("#reading").inner_text()
    assert said.startswith("quarter 1. output, percent: nk, kappa=")
    assert "rate, annualised percentage points: nk" in said
    page.keyboard.press("End")
    assert page.locator("#reading").inner_text().startswith("quarter 20.")
    page.keyboard.press("Escape")
    assert page.locator(".readout").count() == 0


def test_panels_fill_the_window_whatever_their_number(page, tmp_path):
    (tmp_path / "many.mod").write_text(FOURTEEN)
    for query, number in (("show=output", 1), ("", 3)):
        visit(page, query)
        filled(page, number)
    page.set_input_files("#mod", tmp_path / "many.mod")
    page.click("#upload button")
    until(page, "document.querySelectorAll('.plot').length == 6")
    page.click("[data-choose=all]")
    until(page, "document.querySelectorAll('.plot').length == 14")
    filled(page, 14)
    page.fill("#find-observable", "v1")
    assert page.locator(".chooser label:visible").count() == 5
    assert page.locator("#error").inner_text() == ""
    page.click("[data-choose=first]")
    until(page, "document.querySelectorAll('.plot').length == 6")
    page.set_viewport_size({"width": 390, "height": 844})
    until(page, "document.querySelector('.plot').clientWidth < 390")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def filled(page, number):
    """The panels reach nearly to the end of the window, and are drawn in their size."""
    settled(page)
    page.evaluate("scrollTo(0, 0)")
    boxes = [plot.bounding_box() for plot in page.locator(".plot").all()]
    assert len(boxes) == number
    assert max(box["x"] + box["width"] for box in boxes) <= 1400
    assert 700 <= max(box["y"] + box["height"] for box in boxes) <= 890
    drawn = page.locator(".plot > svg").first.evaluate("svg => svg.viewBox.baseVal.height")
    assert drawn == pytest.approx(boxes[0]["height"], abs=1)


def test_presets_of_the_world_and_of_the_reader(page):
    visit(page)
    assert page.locator("[data-preset][aria-pressed=true]").inner_text() == "Calibration"
    page.click("text=Prior median")
    until(page, "location.search.includes('p.kappa=0.255')")
    until(page, "document.querySelector('[aria-pressed=true]').textContent == 'Prior median'")
    page.fill("#p-kappa", "0.3")
    page.fill("#preset-name", "<img src=x onerror=window.hacked=1>")
    page.press("#preset-name", "Enter")
    settled(page)
    assert page.locator("#error").inner_text() == ""  # a name is nothing of the state
    page.click("#defaults")
    until(page, "!location.search.includes('p.')")
    page.reload()
    settled(page)
    own = page.locator("#own-presets [data-preset]")
    assert own.all_inner_texts() == ["<img src=x onerror=window.hacked=1>"]
    own.click()
    until(page, "location.search.includes('p.kappa=0.3')")
    assert page.locator("#p-sigma").input_value() == "2.25"
    page.click("#own-presets [data-forget]")
    assert own.count() == 0
    assert page.evaluate("window.hacked") is None
    page.evaluate("localStorage.setItem('presets', '{broken')")
    page.reload()
    settled(page)
    assert own.count() == 0


def test_a_mapping_is_edited_checked_shown_and_downloaded(page):
    visit(page, "world=rbc&shock=technology&p.alpha=0.3")
    page.click("#mapping-of summary")
    until(page, "document.querySelector('#mapping-text').value.includes('100*log(y)')")
    text = page.locator("#mapping-text").input_value()
    page.fill("#mapping-text", text.replace("observables:", "observables: ["))
    page.click("#edit-mapping button")
    until(page, "document.querySelector('#mapping-error').textContent.includes('.yaml:')")
    page.fill("#mapping-text", text.replace("100*log(y)", "100*log(nix)"))
    page.click("#edit-mapping button")
    until(page, "document.querySelector('#mapping-error').textContent.includes('never declared')")
    marked = "text => text.value.slice(text.selectionStart, text.selectionEnd)"
    assert "output: {expression: 100*log(nix)" in page.locator("#mapping-text").evaluate(marked)
    page.click("#revert-mapping")
    page.click("#variables >> text=gov")
    with page.expect_download() as download:
        page.click("#download-mapping")
    assert download.value.suggested_filename == "rbc.world.yaml"
    written = download.value.path().read_text()
    assert "  gov: {expression: gov, unit: unknown}\n" in written
    page.click("#edit-mapping button")
    until(page, "location.search.includes('world=rbc-')")
    assert "p.alpha=0.3" in page.url
    assert "shock=technology" in page.url
    settled(page)
    page.check("[name=show][value=gov]")
    until(
        page,
        "[...document.querySelectorAll('figcaption')].some(one => one.textContent.includes('Gov'))",
    )


def test_the_card_and_the_mapping_pass_the_audit(chromium, site):
    context = opened(
        chromium, viewport={"width": 1400, "height": 900}, base_url=site, bypass_csp=True
    )
    page = context.new_page()
    visit(page, "world=rbc&shock=technology")
    page.click("#model summary")
    page.click("#mapping-of summary")
    until(page, "document.querySelectorAll('#card math').length == 13")
    until(page, "document.querySelector('#variables button')")
    page.focus("#drawn")
    page.keyboard.press("ArrowRight")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, OF_COLOURS) == []
    context.close()
