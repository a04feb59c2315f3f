"""`emulator explore`: the explorer on this machine."""

from __future__ import annotations

import signal
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.console import err, say

if TYPE_CHECKING:
    from emulator.inference.emulator import Emulator


def explore(
    host: Annotated[
        str,
        typer.Option(
            help="Where to listen; other machines reach it only if this is not 127.0.0.1."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8765,
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = "universal",
    no_network: Annotated[
        bool,
        typer.Option(
            "--no-network", help="Exact solutions only, without a network and without PyTorch."
        ),
    ] = False,
    state: Annotated[
        str,
        typer.Option(
            help="What to show: an address of the explorer, or what stands after its '?'."
        ),
    ] = "",
    fit: Annotated[
        Path | None,
        typer.Option(
            help=(
                "A world's folder of `emulator estimate`: start at its estimate, drawn over the"
                " data."
            )
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    screenshot: Annotated[
        Path | None,
        typer.Option(
            help="Write a picture of the page (.png) with the installed Chromium, and stop."
        ),
    ] = None,
) -> None:
    """Worlds, shocks and sliders in the browser: responses follow while you drag. Ends with
    Ctrl-C.
    """
    from emulator.explorer.curves import ask
    from emulator.explorer.economies import Economies
    from emulator.explorer.fit import Fit
    from emulator.explorer.screenshot import shoot
    from emulator.explorer.serve import LOCAL, served
    from emulator.explorer.state import State

    economies = Economies(None if no_network else _network(checkpoint), checkpoint)
    if fit is not None:
        economies.fit = Fit.read(fit, economies.spec)
        state = state or economies.fit.scenario.text
    wanted = State.read(state.rpartition("?")[2], economies.spec)
    shown = wanted.query() if state else ""
    if screenshot is not None:
        ask(wanted, economies)  # slow solutions, so that the picture need not wait for them
        with served(economies, host) as place:
            shoot(f"{place}?{shown}", screenshot)
        say(f"Screenshot: {screenshot}")
        return
    with _interrupts() as interrupts, served(economies, host, port) as place:
        say(f"The explorer is at {place}{'?' + shown if shown else ''}  (Ctrl-C ends it)")
        if host not in LOCAL:
            err.print(
                "note: everybody who reaches this machine over the network can use the explorer and"
                " load files into it.",
                markup=False,
            )
        if open_:
            webbrowser.open(f"{place}?{shown}")
        interrupts.get()


@contextmanager
def _interrupts() -> Iterator[SimpleQueue[int]]:
    """Each Ctrl-C as an entry of a queue: Python's own answer, an exception, is lost where it rises
    in a destructor or a callback.
    """
    found: SimpleQueue[int] = SimpleQueue()  # whose `put` may interrupt its own `get`
    before = signal.signal(signal.SIGINT, lambda number, frame: found.put(number))
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)


def _network(checkpoint: str) -> Emulator:
    from emulator.inference.emulator import Emulator

    return Emulator.load(checkpoint)
