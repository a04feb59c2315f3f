"""The folder of a data set from what a user calls it: a path on this machine, or an fsspec URL."""

from __future__ import annotations

import re
from pathlib import Path

from emulator.data.storage import Folder, LocalFolder

URL = re.compile(r"[a-z][a-z0-9+.-]+(://|::)")
FOLDED_URL = re.compile(r"([a-z][a-z0-9+.-]+):/(?!/)(.*)")
"""What `pathlib` makes of a URL: `s3://bucket/x` as `s3:/bucket/x`."""


def open_folder(place: str | Path | Folder) -> Folder:
    """The folder of a path or of an fsspec URL (`s3://bucket/x`, `memory://x`, `file:///x`);
    nothing is made.

    Raises `MissingExtraError` or `DatasetError` if nothing installed speaks the URL's protocol.
    """
    if isinstance(place, Folder):
        return place
    text = str(place)
    if isinstance(place, Path) and (folded := FOLDED_URL.fullmatch(text)):
        text = (
            f"{folded[1]}:///{folded[2]}" if folded[1] == "file" else f"{folded[1]}://{folded[2]}"
        )
    if not URL.match(text):
        return LocalFolder(Path(place))
    protocol, _, rest = text.partition("://")
    if protocol in ("file", "local"):
        return LocalFolder(Path(rest))
    from emulator.data.remote import RemoteFolder  # a folder on a disk needs no fsspec

    return RemoteFolder(text)
