"""`load NAME.mat` of a file beside the model."""

import numpy as np
import pytest

from emulator.errors import ModFileError
from emulator.modfile import load, load_text

pytestmark = [pytest.mark.fast, pytest.mark.filterwarnings("ignore::UserWarning")]

MODEL = """var x; varexo e; parameters a b c d;
d = 0.25;
{lines}
b = w(2);
model; x = a*x(-1) + b*x(+1) + c*e + d*e; end;
shocks; var e; stderr 1; end;
stoch_simul(order=1);
"""


@pytest.fixture
def values(tmp_path):
    from scipy.io import savemat

    savemat(
        tmp_path / "given.mat",
        {"a": 0.5, "d": 9.0, "w": [0.1, 0.2, 0.3], "S": {"c": 0.7, "t": "text"}, "t": "text"},
        do_compression=True,
    )

    def of(lines):
        path = tmp_path / "model.mod"
        path.write_text(MODEL.format(lines=lines))
        model = load(path)
        return dict(zip(model.parameters, model.theta()[0].tolist(), strict=True))

    return of


@pytest.mark.parametrize(
    "how", ["load given.mat", "load('given.mat')", "load given", "load 'given'"]
)
def test_numbers_vectors_and_structures_are_read(values, how):
    of_file = values(f"{how};\nset_param_value('a', a);\nset_param_value('c', S.c);")
    # d stays: MATLAB's variable of that name is not Dynare's parameter
    assert of_file == {"a": 0.5, "b": 0.2, "c": 0.7, "d": 0.25, "stderr_e": 1.0}


def test_a_file_is_loaded_into_a_structure_or_in_part(values):
    of_file = values(
        "P = load('given.mat');\nset_param_value('a', P.a); set_param_value('c', P.S.c);\nw = P.w;"
    )
    assert of_file == {"a": 0.5, "b": 0.2, "c": 0.7, "d": 0.25, "stderr_e": 1.0}
    with pytest.raises(ModFileError, match="'a' has no value"):
        values("load given.mat w;\nset_param_value('a', a);\nc = 1;")


def _hdf5(path):
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (_hdf5, r"version 7\.3 \(HDF5\).*-v7"),
        (lambda path: path.write_bytes(b"no such thing" * 40), "cannot be read as a .mat file"),
        (lambda path: path.write_bytes(bytes(1_000_001)), "more than 1,000,000 bytes"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_line(values, tmp_path, write, words):
    write(tmp_path / "other.mat")
    with pytest.raises(ModFileError, match=rf"model\.mod:3: .*{words}"):
        values("load other.mat")


def test_files_elsewhere_are_not_read(values, tmp_path):
    with pytest.raises(ModFileError, match="outside of the model's folder"):
        values("load ../given.mat")
    text = MODEL.format(lines="load('given.mat');\nset_param_value('a', a);\nc = 1;")
    with pytest.raises(ModFileError, match="has no value"):
        load_text(text, str(tmp_path / "model.mod")).theta()


def test_a_large_array_is_passed_over(values, tmp_path):
    from scipy.io import savemat

    savemat(tmp_path / "large.mat", {"w": np.zeros((1, 20_000)), "a": 0.5}, do_compression=True)
    with pytest.raises(ModFileError, match="'b' has no value"):
        values("load large.mat;\nset_param_value('a', a);\nc = 1;")


LOOPS = [
    "load given.mat;\n set_param_value('a', k*a); set_param_value('c', S.c);",
    "load(['giv' 'en']);\n set_param_value('a', k*a); set_param_value('c', S.c);",
    "name = 'given';\n P = load(name);\n set_param_value('a', k*P.a);\n"
    " set_param_value('c', P.S.c); w = P.w;",
    "load(['set' num2str(k)]);\n set_param_value('a', a); set_param_value('c', S.c);",
    "load_params_and_steady_state('two.txt');\n load given.mat;",
]


@pytest.mark.parametrize("inside", LOOPS)
def test_files_are_loaded_inside_of_loops(values, tmp_path, inside):
    from scipy.io import savemat

    (tmp_path / "two.txt").write_text("a 1\nc 0.7\nx 0\n")
    savemat(tmp_path / "set2.mat", {"a": 1.0, "S": {"c": 0.7}, "w": [0.1, 0.2, 0.3]})
    savemat(tmp_path / "set1.mat", {"a": 7.0, "S": {"c": 9.0}, "w": [0.1, 0.2, 0.3]})
    of_file = values(f"for k = 1:2\n {inside}\nend\nif k > 2\n load missing.mat;\nend")
    assert of_file == {"a": 1.0, "b": 0.2, "c": 0.7, "d": 0.25, "stderr_e": 1.0}


def test_parameters_of_a_file_that_is_missing_have_no_value(values):
    with pytest.raises(ModFileError, match="'a' is set by a MATLAB line that is not run"):
        values("w = [1 2];\nif d > 0\n load_params_and_steady_state('missing.txt');\nend")
    branch = "if d < 0\n load_params_and_steady_state('missing.txt');\nend"
    assert values(f"{branch}\nload given.mat;\na = 1; c = 1;")["a"] == 1.0
