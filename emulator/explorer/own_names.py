"""Names under which the explorer may be asked for, so that no site can have a name of its own point
here.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine reaches."""

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
