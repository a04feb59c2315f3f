"""A world with more observables than are drawn at first, in a browser: the chooser, a phone, a file
without a mapping.
"""

import json

from emulator.tests.estimation.test_observables import MOD
from emulator.tests.explorer.browsing import opened, settled, until, violations, visit

PANELS = "[...document.querySelectorAll('figcaption')].map(one => one.firstChild.data.trim())"


def shows(*names):
    expected = json.dumps(names, separators=(",", ":"))
    return f"JSON.stringify({PANELS}) == {json.dumps(expected)}"


def test_observables_are_chosen_and_the_address_keeps_them(page):
    visit(page, "world=sw07&shock=monetary")
    first = ("Output", "Inflation", "Rate", "Consumption", "Investment", "Hours")
    until(page, shows(*first))
    page.check("[name=show][value=wage]")
    until(page, shows(*first, "Wage"))
    assert "show=wage" in page.url
    for name in ("output", "inflation", "rate", "consumption", "investment"):
        page.uncheck(f"[name=show][value={name}]")
    until(page, shows("Hours", "Wage"))
    settled(page)
    page.uncheck("[name=show][value=hours]")
    until(page, shows("Wage"))
    page.click("[name=show][value=wage]")  # the last one stays
    assert page.is_checked("[name=show][value=wage]")
    page.go_back()
    until(page, "new URLSearchParams(location.search).getAll('show').length == 2")
    until(page, shows("Hours", "Wage"))
    assert page.is_checked("[name=show][value=hours]")
    page.select_option("#world", "nk")
    until(page, shows("Output", "Inflation", "Rate"))
    assert "show=" not in page.url


def test_seven_panels_fit_a_phone_and_pass_the_audit(chromium, site):
    context = opened(chromium, viewport={"width": 390, "height": 844}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site}?world=sw07&shock=monetary&show=output&show=hours&show=wage")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    context.close()


def test_a_file_without_a_mapping_is_explored_in_its_own_variables(chromium, site, tmp_path):
    (tmp_path / "mine.mod").write_text(MOD)
    context = opened(
        chromium, viewport={"width": 1400, "height": 900}, base_url=site, bypass_csp=True
    )
    page = context.new_page()
    visit(page)
    page.set_input_files("#mod", tmp_path / "mine.mod")
    page.click("#upload button")
    until(page, shows("y", "p", "i", "c", "n", "w"))
    settled(page)
    page.fill("#p-kappa", "0.2")
    page.press("#p-kappa", "Tab")
    until(page, "location.search.includes('p.kappa=0.2')")
    settled(page)
    page.click("#mapping-of summary")
    until(page, "document.querySelector('#mapping-text').value.includes('observables:')")
    assert violations(page) == []
    context.close()
