"""`python -m emulator` is the `emulator` command."""

from emulator.cli import main

if __name__ == "__main__":
    main()
