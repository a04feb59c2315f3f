"""Door to `emulator generate`; see `--help`."""

from emulator.console import run
from emulator.data.command import generate

if __name__ == "__main__":
    run(generate)
