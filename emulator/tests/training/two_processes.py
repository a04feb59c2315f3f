"""What torchrun does for two processes on one machine, by a fork for each instead of a new Python.

    python -m emulator.tests.training.two_processes --config ...

The command line is that of `python -m emulator.training.trainer`. If one process fails, the other
is ended, and the exit code is 1.
"""

import os
import signal
import sys

from torch.distributed import TCPStore

PROCESSES = 2
DIGITS = 5


def train(rank: int, port: int) -> None:
    """Train as one of the processes; where they meet is known from the environment."""
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(PROCESSES),
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    from emulator.tests.training import barriers
    from emulator.training.command import main

    barriers.install()
    main()


def launch() -> int:
    """Start the processes and wait for them; the exit code. In each process: train."""
    announced, announce = os.pipe()
    running = set()
    for rank in range(PROCESSES):
        pid = os.fork()
        if pid == 0:
            train(rank, int(os.read(announced, DIGITS)))
            sys.exit()
        running.add(pid)
    store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    os.write(announce, f"{store.port:0{DIGITS}}".encode() * PROCESSES)
    failed = 0
    while running:
        pid, status = os.wait()
        running.discard(pid)
        if status and not failed:
            failed = 1
            for other in running:
                os.kill(other, signal.SIGKILL)
    return failed


if __name__ == "__main__":
    sys.exit(launch())
