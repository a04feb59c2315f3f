"""Shared by the explorer's tests: the worlds with the network that ships, and a client that asks as
a browser does.
"""

import pytest

import emulator
from emulator.explorer.app import create_app
from emulator.explorer.economies import Economies


@pytest.fixture(scope="package")
def network():
    return emulator.load("universal")


@pytest.fixture
def economies(network):
    found = Economies(network)
    yield found
    found.close()


@pytest.fixture
def client(economies):
    return create_app(economies, ["localhost", "127.0.0.1"]).test_client()
