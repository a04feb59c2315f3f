"""What the explorer refuses before it answers: foreign names, requests of other sites; and what its
page may load.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from flask import Flask, Response, jsonify, request

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine reaches."""

SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src"
        " 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]+)?")
"""A Host field, in lower case."""


@dataclass(frozen=True)
class OwnNames:
    """`names`, and numeric addresses, which no site can borrow: every one with `any_address`, else
    those of the loopback interface.
    """

    names: frozenset[str]
    any_address: bool

    @classmethod
    def of(cls, host: str, names: Iterable[str] = ()) -> OwnNames:
        """Of a server that listens on `host`; `names`: further ones that its user allows."""
        own = {"localhost", host.lower(), *(name.lower().rstrip(".") for name in names)}
        if host in LOCAL:
            return cls(frozenset(own), any_address=False)
        machine = socket.gethostname().lower()
        own |= {machine, machine.partition(".")[0] + ".local", socket.getfqdn().lower()}
        return cls(frozenset(own), any_address=True)

    def allow(self, host: str) -> bool:
        """Whether a Host field names this explorer."""
        match = HOST.fullmatch(host.lower())
        if match is None:
            return False
        name = match["name"]
        try:
            address = ip_address(name.strip("[]"))
        except ValueError:
            return name.rstrip(".") in self.names
        return self.any_address or address.is_loopback


def guard(app: Flask, own: OwnNames) -> None:
    """Refuse what was asked under a foreign name or by another site; send the page's policy with
    every answer.
    """

    @app.before_request
    def refuse() -> tuple[Response, int] | None:
        host = request.headers.get("Host", "")
        if not own.allow(host):
            return _refusal(
                400,
                f"The explorer does not answer to the name '{host[:80]}'. If this is a name of"
                " your machine, start the explorer with --name and this name.",
            )
        if request.method in ("GET", "HEAD"):
            return _refuse_embedding()
        return _refuse_foreign_post(host)

    @app.after_request
    def secured(response: Response) -> Response:
        response.headers.update(SAFE)
        if not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
        return response


def _refuse_embedding() -> tuple[Response, int] | None:
    """Another site may link here, but not have the reader's browser ask for pictures and files."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    if site in ("same-origin", "none") or mode == "navigate":
        return None
    return _refusal(403, "The explorer answers its own page only.")


def _refuse_foreign_post(host: str) -> tuple[Response, int] | None:
    """A browser names the origin of every page that posts; what names none, or another, is refused.

    Fetch metadata are asked too where there are any: browsers send them to this machine and over
    HTTPS, not over plain HTTP to others.
    """
    origin = request.headers.get("Origin", "").lower()
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if origin in (f"http://{host.lower()}", f"https://{host.lower()}") and site == "same-origin":
        return None
    return _refusal(403, "The explorer takes files from its own page only.")


def _refusal(status: int, reason: str) -> tuple[Response, int]:
    return jsonify(error=reason), status
