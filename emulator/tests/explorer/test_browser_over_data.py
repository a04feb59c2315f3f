"""Views over data in a browser: tabs, a condition by mouse and by keyboard, parts, tables of one's
own, the audit of accessibility.
"""

from emulator.tests.explorer.browsing import OF_COLOURS, opened, settled, until, violations, visit
from emulator.tests.explorer.test_over_data import csv_of

SHORT = "sample=1995Q1%3A2007Q4"

INSIDE = """all => all.map(box => {
  const own = box.getBoundingClientRect(), plot = box.parentElement.getBoundingClientRect();
  return own.top >= plot.top - 2 && own.bottom <= plot.bottom + 2 && own.right <= plot.right + 2;
})"""
"""Whether each read-out lies within its plot."""

FIRST_BAR = "document.querySelector('#drawn .part')?.getAttribute('d')"


def test_from_responses_to_a_history_that_follows_the_sliders_and_back(page):
    visit(page, SHORT)
    page.click("#view-history")
    until(page, "document.querySelector('#drawn h2').textContent.includes('1995Q1 to 2007Q4')")
    settled(page)
    assert "view=history" in page.url
    assert page.locator("#drawn .over-data svg[role=img]").count() == 3
    assert not page.locator("#size").is_visible()
    before = page.evaluate(FIRST_BAR)
    drag_slider(page, "kappa", 0.2, 0.8)
    settled(page)
    assert page.evaluate(FIRST_BAR) != before
    page.click("#drawn [data-part='1']")
    assert page.locator("#drawn .over-data .dimmed").count() > 0
    assert page.locator("#drawn [data-part='1']").get_attribute("aria-pressed") == "true"
    page.click("#drawn [data-part='1']")
    assert page.locator("#drawn .over-data .dimmed").count() == 0
    page.click("#numbers summary")
    until(page, "document.querySelectorAll('#table tbody tr').length == 52")
    page.click("#view-responses")
    until(page, "document.querySelector('#drawn h2').textContent.startsWith('Monetary')")
    assert "view=" not in page.url
    page.go_back()
    until(page, "document.querySelector('#drawn h2').textContent.includes('1995Q1')")


def drag_slider(page, name, start, end):
    """As `drag`, of a picture that has no live line."""
    page.locator(f"#r-{name}").scroll_into_view_if_needed()
    box = page.locator(f"#r-{name}").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=4)
    page.mouse.up()


def handles(page):
    return page.locator("#drawn svg[data-target=rate] circle.handle").count()


def test_a_condition_is_drawn_with_the_mouse_and_freed(page):
    visit(page, f"view=forecast&{SHORT}&ahead=8")
    until(page, "document.querySelector('svg[data-target=rate] .field')")
    page.locator("#drawn svg[data-target=rate]").scroll_into_view_if_needed()
    field = page.locator("#drawn svg[data-target=rate] .field").bounding_box()
    page.mouse.move(field["x"] + 0.3 * field["width"], field["y"] + 0.4 * field["height"])
    page.mouse.down()
    page.mouse.move(field["x"] + 0.8 * field["width"], field["y"] + 0.5 * field["height"], steps=5)
    page.mouse.up()
    settled(page)
    until(page, "location.search.includes('condition=rate')")
    drawn = handles(page)
    assert drawn >= 3
    assert page.locator("#path-of").input_value() == "rate"
    assert (
        page.locator("[data-path]").evaluate_all("all => all.filter(one => one.value).length")
        == drawn
    )
    assert "met by the most likely shocks" in page.locator("#drawn h2").inner_text()
    page.check("[data-by=monetary]")
    until(page, "document.querySelector('#drawn h2').textContent.includes('met by monetary')")
    page.check("#announced")
    until(page, "document.querySelector('#drawn h2').textContent.includes('announced')")
    settled(page)
    point = page.locator("#drawn svg[data-target=rate] circle.handle").first.bounding_box()
    page.mouse.dblclick(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    until(
        page,
        f"document.querySelectorAll('svg[data-target=rate] circle.handle').length == {drawn - 1}",
    )
    page.click("#no-condition")
    until(page, "!location.search.includes('condition')")
    settled(page)
    assert handles(page) == 0


def test_what_is_drawn_shows_before_the_server_answers_and_axes_stay_meanwhile(page):
    visit(page, f"view=forecast&{SHORT}&ahead=8")
    axes = limits(page)
    held_back = []
    page.route("**/picture?*", lambda question: held_back.append(question))
    field = page.locator("#drawn svg[data-target=rate] .field").bounding_box()
    page.mouse.move(field["x"] + 0.3 * field["width"], field["y"] + 0.5 * field["height"])
    page.mouse.down()
    page.mouse.move(field["x"] + 0.6 * field["width"], field["y"] + 0.4 * field["height"], steps=3)
    assert handles(page) >= 3
    assert page.locator("#drawn path.ghost").count() == 0  # no answer came yet
    page.unroute("**/picture?*")  # which lets go what was held back
    until(page, "document.querySelectorAll('#drawn path.ghost').length >= 3")
    assert limits(page)[: len(axes)] == axes
    page.mouse.up()
    settled(page)
    assert page.locator("#drawn path.ghost").count() == 0
    assert page.locator("#error").inner_text() == ""


def limits(page):
    return page.locator("#drawn .plot > svg").evaluate_all(
        "all => all.map(one => [one.dataset.name, one.dataset.low, one.dataset.high])"
    )


def test_a_refused_equation_dims_the_old_picture(page):
    visit(page, f"view=history&{SHORT}")
    page.click("#data-controls summary")
    page.fill("[name='o.rate']", "rate*rate")
    until(page, "document.querySelector('#notes').textContent.includes('multiplies observables')")
    assert page.locator("#drawn.stale .part").count() > 0
    page.fill("[name='o.rate']", "rate")
    until(page, "!document.querySelector('#drawn.stale')")


def test_a_condition_by_keyboard(page):
    visit(page, f"view=forecast&{SHORT}")
    page.focus("#path-0")
    page.keyboard.type("4.5")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("4")
    until(page, "document.querySelectorAll('svg[data-target=rate] circle.handle').length == 2")
    page.keyboard.press("Tab")
    until(page, "location.search.includes('condition=rate%3A4.5%2C%2C4')")
    page.focus("#view-history")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#drawn .part')")
    assert page.evaluate("document.activeElement.id") == "view-history"


def test_a_table_of_ones_own_and_a_broken_one(page, tmp_path):
    (tmp_path / "mine.csv").write_bytes(csv_of())
    (tmp_path / "broken.csv").write_text("period,output\n1990Q1,<img src=x>\n")
    visit(page)
    page.set_input_files("#data-file", tmp_path / "broken.csv")
    page.click("#load-data button")
    until(page, "document.querySelector('.table-error').textContent.includes('which is no number')")
    page.set_input_files("#data-file", tmp_path / "mine.csv")
    page.click("#load-data button")
    until(page, "document.querySelector('#drawn h2').textContent.includes('1990Q1 to 2005Q4')")
    assert "data=mine-" in page.url
    (tmp_path / "draws.csv").write_text("kappa\n0.1\n0.2\n")
    page.set_input_files("#draws-file", tmp_path / "draws.csv")
    page.click("#load-posterior button")
    until(page, "document.querySelector('.legend').textContent.includes('median of 2 draws')")
    page.click("text=Sliders to the posterior's mean")
    until(page, "document.querySelector('#p-kappa').value.startsWith('0.15')")


def test_the_audit_finds_nothing_wide_and_narrow_light_and_dark(chromium, site):
    for width, view in ((1400, "history"), (390, "forecast")):
        context = opened(
            chromium,
            color_scheme="light",
            viewport={"width": width, "height": 900},
            bypass_csp=True,
        )
        page = context.new_page()
        page.goto(f"{site}?view={view}&{SHORT}&condition=rate:4.5,4.25")
        settled(page)
        page.click("#data-controls summary")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.focus("#drawn")
        page.keyboard.press("End")
        boxes = page.locator(".readout").evaluate_all(INSIDE)
        assert len(boxes) >= 3
        assert all(boxes)
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        assert violations(page, OF_COLOURS) == []
        context.close()
