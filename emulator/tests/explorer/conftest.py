"""Shared by the explorer's tests: the worlds with the network that ships, and a client that asks as
a browser does.
"""

import webbrowser

import pytest

import emulator
from emulator.explorer.app import create_app
from emulator.explorer.economies import Economies


@pytest.fixture(autouse=True)
def no_browser(monkeypatch):
    """No test opens a window; addresses that would have been opened."""
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    return opened


@pytest.fixture(scope="package")
def network():
    return emulator.load("universal")


@pytest.fixture
def economies(network):
    economies = Economies(network)
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
