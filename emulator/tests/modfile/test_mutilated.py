"""Cut, doubled and swapped pieces of real files: an answer or an `EmulatorError`, nothing else."""

import random
import re
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from emulator.errors import EmulatorError, ModFileError
from emulator.modfile import irf, load_text

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


MATLAB = [
    "for k = 1:3\n",
    "end\n",
    "if a > 1\n",
    "while 1\n",
    "switch a\n",
    "case 1\n",
    "break;\n",
    "w = [];\n",
    "[1 2; 3]",
    "w(end)",
    "w(1.5)",
    "x{2}",
    "zeros(1e9)",
    "ones(3, -1)",
    "inv(0)",
    "round()",
    "max(, 1)",
    "k = 1:1e7;\n",
    "M_.params(99) = 1;\n",
    "set_param_value('a', 1);\n",
    "load given.mat;\n",
]


@pytest.mark.parametrize("seed", range(2))
def test_mutilated_matlab_ends_in_errors_of_ours_with_the_file(seed):
    rng = random.Random(seed)
    errors = []
    for _ in range(25):
        text = (REFERENCE / "values.mod").read_text()
        for _ in range(rng.choice([1, 2, 3])):
            start = rng.randrange(len(text))
            if rng.random() < 0.5:  # a line of its own
                start = stop = text.find("\n", start) + 1
            else:
                stop = start + rng.randrange(6)
            text = text[:start] + rng.choice(MATLAB) + text[stop:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = load_text(text, "values.mod")
                model.solve(model.theta())
            except ModFileError as error:
                errors.append(str(error))
    assert errors
    assert [error for error in errors if not re.search(r"values\.mod:\d", error)] == []


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
