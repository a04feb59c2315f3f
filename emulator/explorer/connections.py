"""waitress with bounds: how large a request may be, how long it may take to arrive, how many
connections there may be. A connection that does nothing never keeps another one out.
"""

from __future__ import annotations

import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from emulator.explorer.uploads import LARGEST_BODY

MOST_CONNECTIONS = 200

IDLE_SECONDS, ARRIVAL_SECONDS = 10, 30
"""After which a connection is closed on which nothing happens, or whose request is still not here
as a whole.
"""

LARGEST_HEADER = 65_536
"""Bytes, the address included."""


class Channel(HTTPChannel):
    """A connection that knows since when a request of its is arriving."""

    arriving_since: float | None = None

    def received(self, data: bytes) -> bool:
        answer: bool = super().received(data)
        if self.request is None:
            self.arriving_since = None
        elif self.arriving_since is None:
            self.arriving_since = time.time()
        return answer


class BoundedServer(TcpWSGIServer):
    channel_class = Channel

    def __init__(self, app: Any, *, host: str, port: int, threads: int) -> None:
        super().__init__(
            app,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            clear_untrusted_proxy_headers=True,
            max_request_body_size=LARGEST_BODY,
            max_request_header_size=LARGEST_HEADER,
            inbuf_overflow=2 * LARGEST_BODY,  # no request is ever put on disk
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=1,
            channel_request_lookahead=1,  # reads on, and so sees whoever asked go away
            connection_limit=2 * MOST_CONNECTIONS,  # never reached, see `handle_accept`
            log_socket_errors=False,
        )

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in self.active_channels.values():
            since = channel.arriving_since
            if since is not None and since < now - ARRIVAL_SECONDS:
                channel.will_close = True

    def handle_accept(self) -> None:
        """Take a new connection; where there are too many, the one goes that has been idle for
        longest.
        """
        super().handle_accept()
        channels = [c for c in self.active_channels.values() if not c.will_close]
        waiting = [channel for channel in channels if not channel.requests]
        if len(channels) > MOST_CONNECTIONS and waiting:
            min(waiting, key=lambda channel: channel.last_activity).will_close = True
