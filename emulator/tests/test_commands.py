"""A command in a fork behaves as one in a new Python: output, exit code, signals, environment."""

import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from emulator.tests import commands
from emulator.tests.conftest import pytest_configure
from emulator.tests.durations import LONGER, LONGEST, fast_alone, in_shares

pytestmark = pytest.mark.fast

CODES = {
    "prints": "print('said'); import sys; print('wrong', file=sys.stderr)",
    "a code": "import sys; sys.exit(3)",
    "a message": "import sys; sys.exit('no such thing')",
    "nothing": "import sys; sys.exit()",
    "at exit": "import atexit; atexit.register(print, 'last')",
    "a thread": "import threading, time;"
    "threading.Thread(target=lambda: (time.sleep(0.05), print('late'))).start()",
    "where": "import os, sys; print(os.getcwd(), sys.argv, sys.path[0], __name__)",
    "asked": "import os; print(os.environ['ASKED'], len(os.environ))",
    "temporary": "import tempfile; print(tempfile.gettempdir())",
    "input": "import sys; print(repr(sys.stdin.read()))",
    "a warning": "import warnings; warnings.warn('old', DeprecationWarning)",
    "a quiet one": "compile('x', 'y', 'eval'); import warnings; warnings.warn('q', ImportWarning)",
    "ends itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "ends politely": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "signals": "import signal; print([signal.getsignal(n) for n in (2, 13, 15, 17)])",
    "a group": "import os; print(os.getpgid(0) == os.getpid())",
    "files": "import os; print(sorted(int(n) for n in os.listdir('/dev/fd'))[:3])",
    "umlauts": "print('\\u03ba')",
    "spawned": "import multiprocessing as m; p = m.get_context('spawn').Process(target=print,"
    "args=('there',)); p.start(); p.join(); print(p.exitcode)",
}


@pytest.mark.parametrize(
    ("name", "warnings"),
    [*((name, None) for name in CODES), ("a warning", "error"), ("a quiet one", "error")],
)
def test_a_fork_does_what_a_new_python_does(tmp_path, name, warnings):
    options = {
        "folder": tmp_path,
        "environment": {"ASKED": "yes", "TMPDIR": str(tmp_path)},
        "new_session": name == "a group",
        "warnings": warnings,
    }
    ends = [
        commands.run("-c", CODES[name], "more", fresh=fresh, **options) for fresh in (False, True)
    ]
    assert len({(end.returncode, end.stdout, end.stderr) for end in ends}) == 1, ends


INTERRUPTED = (  # also where tests run in the background, whose Ctrl-C does nothing
    "import os, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "os.kill(os.getpid(), signal.SIGINT)"
)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-m", "json.tool", "none.json"), 2),
        (("-m", "no_such_module"), 1),
        (("script.py", "a", "b"), 5),
        (("-c", "1 / 0"), 1),
        (("-c", INTERRUPTED), -signal.SIGINT),
    ],
)
def test_modules_scripts_and_tracebacks(tmp_path, words, code):
    script = "import sys; print(sys.argv[1:], __file__, __name__); sys.exit(5)"
    (tmp_path / "script.py").write_text(script)
    ends = [commands.run(*words, folder=tmp_path, fresh=fresh) for fresh in (False, True)]
    assert {end.returncode for end in ends} == {code}
    assert ends[0].stdout == ends[1].stdout


def test_the_modules_of_this_project_are_imported_by_the_command_itself():
    code = "import sys; print([name for name in sys.modules if name.startswith('emulator')])"
    assert commands.run("-c", code).stdout == "[]\n"


def test_a_process_is_heard_while_it_runs_and_can_be_stopped():
    code = "import time; print('up', flush=True); time.sleep(600)"
    process = commands.start("-c", code)
    assert process.stdout.readline() == "up\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(commands.PATIENCE) == process.poll() == -signal.SIGTERM


@pytest.mark.skipif(not commands.FORKING, reason="there is no server")
def test_commands_end_with_the_tests(monkeypatch):
    monkeypatch.setattr(commands, "_servers", [])
    process = commands.start("-c", "import time; time.sleep(600)")
    commands.stop()
    deadline = time.monotonic() + commands.PATIENCE
    while Path(f"/proc/{process.pid}").exists():
        assert time.monotonic() < deadline, "a command outlives the process that started it"
        time.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_worker_begins_with_long_tests_and_none_is_lost(workers):
    names = [name for k in range(40) for name in (f"a{k}.py", "c.py")]
    names[7:7] = [name for name in LONGEST for _ in range(2)]
    order = in_shares(names, workers)
    assert sorted(order) == list(range(len(names)))
    starts = [len(names) * worker // workers for worker in range(workers)]
    assert [names[order[start]] for start in starts] == list(LONGEST[:workers])


def test_the_files_and_tests_of_the_tables_are_there():
    folder = Path(commands.__file__).parent
    assert not [name for name in LONGEST if not (folder / name).exists()]
    tests = [name.split("::") for name in LONGER]
    assert not [test for file, test in tests if f"def {test}(" not in (folder / file).read_text()]


def test_fast_leaves_out_what_is_longer():
    assert fast_alone("fast and not checkout") == "(fast and not longer) and not checkout"
    assert fast_alone("not slow and not demo") == "not slow and not demo"


def test_workers_leave_out_what_is_longer_too():
    option = SimpleNamespace(markexpr="fast")
    pytest_configure(Mock(option=option, workerinput={}))
    assert option.markexpr == "(fast and not longer)"
