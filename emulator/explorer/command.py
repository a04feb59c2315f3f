"""`emulator explore`: the explorer on this machine."""

from __future__ import annotations

import os
import signal
import sys
import warnings
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.console import err, say
from emulator.errors import DoubtWarning

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
    posterior: Annotated[
        Path | None,
        typer.Option(
            help=(
                "A posterior that `emulator estimate` wrote, a world's folder or its posterior.nc:"
                " start at its mean, with the responses of its draws."
            )
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            help="A further name under which other machines reach this one; may be repeated.",
        ),
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open/--no-browser", help="Open the page in the browser.")
    ] = True,
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
    with _signals() as signals, warnings.catch_warnings(), ExitStack() as at_end:
        warnings.simplefilter("ignore", DoubtWarning)  # the page says so beside the answer
        answers = "exact solutions only" if no_network else f"loading the network '{checkpoint}'"
        err.print(f"Starting the explorer: {answers} ...", markup=False, highlight=False)

        from emulator.explorer.curves import ask
        from emulator.explorer.economies import Economies
        from emulator.explorer.fit import Fit
        from emulator.explorer.over_data.asking import ask as ask_over_data
        from emulator.explorer.screenshot import shoot
        from emulator.explorer.serve import served
        from emulator.explorer.state import State

        economies = Economies(None if no_network else _network(checkpoint, at_end), checkpoint)
        if fit is not None:
            economies.fit = Fit.read(fit, economies.spec)
            state = state or economies.fit.scenario.text
        if posterior is not None:
            from emulator.explorer.over_data.starting import started_by

            state = started_by(posterior, economies, state)
        wanted = State.read(state.rpartition("?")[2], economies.spec)
        shown = f"?{wanted.query()}" if state else ""
        if screenshot is not None:
            # Slow solutions, so that the picture need not wait for them.
            (ask if wanted.view.kind == "responses" else ask_over_data)(wanted, economies)
            with served(economies, host) as place:
                shoot(place + shown, screenshot)
            say(f"Screenshot: {screenshot}")
            return
        signals.serving = True
        with served(economies, host, port, names or ()) as place:
            say(f"The explorer is at {place}{shown}  (Ctrl-C ends it)")
            from emulator.explorer.guard import LOCAL  # needs Flask, which is there by now

            if host not in LOCAL:
                err.print(
                    "note: everybody who reaches this machine over the network can use the explorer"
                    " and load files into it.",
                    markup=False,
                )
            if open_ and _has_screen():
                # Beside: some browsers return only when they are closed.
                Thread(target=webbrowser.open, args=(place + shown,), daemon=True).start()
            number = signals.wait()
    if number != signal.SIGINT:
        raise typer.Exit(128 + number)


class _Signals:
    """Signals that end the explorer, each an entry of `queue`.

    Before it serves, a signal also rises as an exception, so that nothing is waited for and
    temporary folders are removed. The entry counts where the exception is lost, as it is in a
    destructor or a callback.
    """

    def __init__(self) -> None:
        self.serving = False
        self.queue: SimpleQueue[int] = SimpleQueue()  # whose `put` may interrupt its own `get`

    def wait(self) -> int:
        """The signal that ends the explorer.

        It is looked for twice a second: one that comes while another thread starts a process may be
        taken in that thread, and then does not wake this one.
        """
        while True:
            with suppress(Empty):
                return self.queue.get(timeout=0.5)

    def take(self, number: int, frame: FrameType | None) -> None:
        self.queue.put(number)
        if self.serving:
            return
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


@contextmanager
def _signals() -> Iterator[_Signals]:
    """Ctrl-C, SIGTERM and the end of the terminal, taken until the block ends."""
    signals = _Signals()
    ending = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        ending.append(signal.SIGHUP)
    before = {number: signal.signal(number, signals.take) for number in ending}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _has_screen() -> bool:
    """Whether a browser has a screen to open on; without one, Linux would start one in the
    terminal.
    """
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))


def _network(checkpoint: str, at_end: ExitStack) -> Emulator:
    """The network, on one thread of PyTorch: for one draw at a time more of them would only wait
    for each other, which costs seconds of processor time on a busy machine.
    """
    import torch

    from emulator.inference.emulator import Emulator

    at_end.callback(torch.set_num_threads, torch.get_num_threads())
    torch.set_num_threads(1)
    return Emulator.load(checkpoint)
