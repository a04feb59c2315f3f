"""Cut, doubled and swapped pieces of real files: an answer or an `EmulatorError`, nothing else."""

import random
import re
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from emulator.errors import EmulatorError, ModFileError
from emulator.modfile import irf, load_text
from emulator.tests.modfile.mutilation import mutilated, with_matlab

REFERENCE = Path(__file__).parents[1] / "reference" / "modfile"


@pytest.mark.parametrize("seed", range(4))
def test_mutilated_files_end_in_errors_of_ours(tmp_path, seed):
    rng = random.Random(seed)
    path = tmp_path / "model.mod"
    texts = [file.read_bytes().decode("latin-1") for file in sorted(REFERENCE.glob("*.mod"))]
    for _ in range(25):
        path.write_bytes(mutilated(rng.choice(texts), rng).encode("latin-1"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(EmulatorError):
                irf(path, horizon=1)


@pytest.mark.parametrize("seed", range(2))
def test_mutilated_matlab_ends_in_errors_of_ours_with_the_file(seed):
    rng = random.Random(seed)
    errors = []
    for _ in range(25):
        text = with_matlab((REFERENCE / "values.mod").read_text(), rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = load_text(text, "values.mod")
                model.solve(model.theta())
            except ModFileError as error:
                errors.append(str(error))
    assert errors
    assert [error for error in errors if not re.search(r"values\.mod:\d", error)] == []
