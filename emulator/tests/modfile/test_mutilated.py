"""Cut, doubled and swapped pieces of real files: an answer or an `EmulatorError`, nothing else."""

import random
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from emulator.errors import EmulatorError
from emulator.modfile import irf

REFERENCE = Path(__file__).parents[1] / "reference" / "modfile"


@pytest.mark.parametrize("seed", range(4))
def test_mutilated_files_end_in_errors_of_ours(tmp_path, seed):
    rng = random.Random(seed)
    path = tmp_path / "model.mod"
    texts = [file.read_bytes().decode("latin-1") for file in sorted(REFERENCE.glob("*.mod"))]
    for _ in range(25):
        path.write_bytes(_mutilated(rng.choice(texts), rng).encode("latin-1"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(EmulatorError):
                irf(path, horizon=1)


def _mutilated(text, rng):
    pieces = [
        "(",
        ")",
        ";",
        "end;",
        "=",
        "^",
        "'",
        "@#if 1\n",
        "@{",
        "model;",
        "var ",
        "1e999",
        "0",
        "/*",
        "\x00",
        "(+1)",
        "STEADY_STATE(",
    ]
    for _ in range(rng.choice([1, 2, 4])):
        start = rng.randrange(len(text))
        stop = min(len(text), start + rng.randrange(1, 25))
        text = rng.choice(
            [
                text[: start + 1],
                text[:start] + text[stop:],
                text[:start] + rng.choice(pieces) + text[stop:],
                text[:stop] + text[start:],
            ]
        )
    return text or " "
