"""Names under which the explorer answers, and what it refuses of other sites."""

import io
import socket

import pytest

from emulator.explorer.app import create_app
from emulator.explorer.economies import Economies
from emulator.explorer.guard import OwnNames

pytestmark = pytest.mark.fast

LOCAL_FORMS = ("localhost", "localhost:8765", "LOCALHOST", "127.0.0.1:8765", "[::1]", "[::1]:8765")


@pytest.fixture(scope="module")
def colours():
    """Status of a quick answer under a Host field, where the server listens on a host."""

    def status(host_field, host="127.0.0.1", names=()):
        client = create_app(Economies(None), host, names).test_client()
        return client.get("/palette.css", headers={"Host": host_field}).status_code

    return status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0"])
@pytest.mark.parametrize("field", LOCAL_FORMS)
def test_this_machine_is_answered_under_all_its_own_names(colours, host, field):
    assert colours(field, host) == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize(
    "field",
    [
        "elsewhere.example",
        "localhost.elsewhere.example",
        "127.0.0.1.elsewhere.example",
        "localhost@elsewhere.example",
        "",
        "[::1",
        "::1",
        "localhost:8765:1",
        "localhost\x00",
    ],
)
def test_foreign_and_malformed_names_are_refused_wherever_it_listens(host, field):
    assert not OwnNames.of(host).allow(field)


def test_a_foreign_name_is_refused_with_what_to_do(colours):
    client = create_app(Economies(None), "0.0.0.0").test_client()
    answer = client.get("/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "--name" in answer.get_json()["error"]


def test_other_machines_use_addresses_names_of_the_machine_and_names_that_were_allowed(colours):
    assert colours("192.168.1.5:8765", "0.0.0.0") == 200
    assert colours("[fe80::1]:8765", "0.0.0.0") == 200
    assert colours(socket.gethostname(), "0.0.0.0") == 200
    assert colours("box.lan:8765", "0.0.0.0", ["Box.lan"]) == 200
    assert colours("192.168.1.5", "127.0.0.1") == 400


OWN = {"Origin": "http://localhost"}


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        (OWN, True),
        (OWN | {"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://localhost:80", "Host": "localhost:80"}, True),
        ({"Origin": "https://localhost"}, True),  # behind a proxy that encrypts
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://elsewhere.example"}, False),
        ({"Origin": "http://localhost:3000"}, False),
        ({"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "same-origin"}, False),
        (OWN | {"Sec-Fetch-Site": "cross-site"}, False),
        (OWN | {"Sec-Fetch-Site": "same-site"}, False),
        (OWN | {"Sec-Fetch-Site": "none"}, False),
    ],
)
def test_files_are_taken_from_its_own_page_only(headers, accepted):
    client = create_app(Economies(None)).test_client()
    answer = client.post("/upload", headers=headers, data={"mod": (io.BytesIO(b""), "")})
    assert answer.status_code == (400 if accepted else 403)  # 400: no file was chosen


def test_other_sites_may_link_to_it_and_no_more():
    client = create_app(Economies(None)).test_client()
    for mode, status in (("navigate", 200), ("no-cors", 403), ("cors", 403)):
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
        assert client.get("/palette.css", headers=headers).status_code == status
