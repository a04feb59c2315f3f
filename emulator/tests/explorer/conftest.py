"""Shared by the explorer's tests: the worlds with the network that ships, and a client that asks as
a browser does.
"""

import os
import webbrowser

import pytest

import emulator
from emulator.explorer.app import create_app
from emulator.explorer.economies import Economies
from emulator.explorer.serve import served
from emulator.tests import commands
from emulator.tests.explorer.browsing import installed, opened, playwright


@pytest.fixture(autouse=True)
def no_browser(monkeypatch):
    """No test opens a window; addresses that would have been opened."""
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    return opened


@pytest.fixture(autouse=True)
def forked_sandboxes(monkeypatch):
    """Processes that read files are forks; those of a test that runs `emulator explore` are not."""

    def fork(folder, environment):
        return commands.start(
            *("-m", "emulator.explorer.sandbox"),
            folder=folder,
            environment=environment,
            binary=True,
            new_session=True,
        )

    monkeypatch.setattr("emulator.explorer.process.start", fork)


@pytest.fixture(scope="package")
def network():
    return emulator.load("universal")


@pytest.fixture
def economies(network):
    economies = Economies(network)
    yield economies
    economies.close()


@pytest.fixture
def exact():
    """Worlds without a network."""
    economies = Economies(None)
    yield economies
    economies.close()


@pytest.fixture
def client(economies):
    return client_of(create_app(economies))


def client_of(app):
    """A client whose posts name the page's own origin, as a browser's do."""
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    return client


@pytest.fixture(scope="package")
def site(network):
    with served(Economies(network)) as place:
        yield place


@pytest.fixture(scope="package")
def chromium():
    with playwright().sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        window = driver.chromium.launch(
            executable_path=installed(), args=arguments, timeout=1000 * commands.PATIENCE
        )
        yield window
        window.close()


@pytest.fixture
def page(chromium, site):
    """A window, 1400 by 900; the test fails if a script does, or if anything is asked of another
    place.
    """
    context = opened(
        chromium, viewport={"width": 1400, "height": 900}, base_url=site, accept_downloads=True
    )
    window = context.new_page()
    complaints = []

    def hear(message):
        if message.type == "error" and "400" not in message.text:
            complaints.append(message.text)

    def look(request):
        if not request.url.startswith((site, "data:")):
            complaints.append(request.url)

    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("console", hear)
    window.on("request", look)
    yield window
    context.close()
    assert complaints == []
