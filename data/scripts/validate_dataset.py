"""Door to `emulator validate`; see `--help`."""

from emulator.console import run
from emulator.data.command import validate

if __name__ == "__main__":
    run(validate)
