"""Cut, doubled and swapped pieces of real files: an answer or an `EmulatorError`, nothing else."""

import random
import re
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emulator.errors import EmulatorError, ModFileError
from emulator.modfile import irf, load, load_text
from emulator.modfile.compiling.steady_program import program_beside
from emulator.tests.modfile.compiling.test_steady_program import BODIES, FRAME, FUNCTION, MODEL
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


@pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning")
@pytest.mark.parametrize("seed", range(2))
def test_mutilated_steady_state_programs_end_in_errors_of_ours(tmp_path, seed):
    rng = random.Random(seed)
    path = tmp_path / "m.mod"
    path.write_text(MODEL)
    program = tmp_path / "m_steadystate.m"
    whole = FRAME.replace("BODY", "\n".join(BODIES[name] for name in ("handle", "loop"))) + FUNCTION
    program.write_text(whole)
    model = load(path)
    assert model.program is not None
    parameters = np.repeat(model.theta()[:, :3], 3, axis=0)
    followed = 0
    for _ in range(40):
        damage = rng.choice([mutilated, with_matlab])
        program.write_bytes(damage(whole, rng).encode("latin-1"))
        damaged = program_beside(model.file)
        if damaged is not None:
            followed += 1
            with suppress(ModFileError):
                damaged(parameters, np.zeros((3, 1)))
    assert followed > 5


@pytest.mark.parametrize(
    "lines",
    [
        "while 1\n w = [y y; y y];\nend",
        "w = [1 1];\nwhile 1\n w = [w w];\nend",
        "w = 'text';\nwhile 1\n w = [w w];\nend",
        "w = ones(1000, 1);\nk = w*ones(1, 1e6);",
        "w = ones(1000, 1);\nk = w + ones(1, 1e6);",
        "\n".join(f"w{k} = zeros(1000, 1000);" for k in range(12)),
        "k = @(x) x;\nk = k(k);",
    ],
)
@pytest.mark.filterwarnings("ignore::emulator.errors.ModFileWarning")
def test_a_steady_state_program_has_bounds_of_time_and_memory(tmp_path, lines, monkeypatch):
    monkeypatch.setattr("emulator.modfile.compiling.matlab_frame.MOST_STEPS", 1_000)
    path = tmp_path / "m.mod"
    path.write_text(MODEL)
    (tmp_path / "m_steadystate.m").write_text(FRAME.replace("BODY", f"k = 1;\n{lines}"))
    file = load_text(MODEL.replace("steady;", ""), str(path)).file
    damaged = program_beside(replace(file, path=path))
    assert damaged is not None
    with pytest.raises(ModFileError, match=r"m_steadystate\.m:\d+: .* beyond what is followed"):
        damaged(np.array([[0.6, 0.3, 4.0]]), np.zeros((1, 1)))
