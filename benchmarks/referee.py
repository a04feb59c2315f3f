"""Dynare's own first-order answer to a `.mod` file, through Octave, for `benchmarks/modfiles.py`.

A file is run in a scratch copy of its folder. The *declared* run takes what the file declares:
parameters, shocks, commands and those MATLAB lines that are plain assignments; it ends at the last
`stoch_simul`, where the answer is taken. The *full* run, made only where other MATLAB lines come
before that, executes them all. Where the two answers differ, or only the full run has one, the file
needs external MATLAB; the declared answer is preferred. Estimation is run in neither.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from driver import (
    MATLAB,
    declared_part,
    parse,
    plain,
    preprocess,
    preprocessor_message,
    until_last_simulation,
    with_simulation,
)
from scipy.io import loadmat

SCRIPTS = Path(__file__).resolve().parent / "dynare"
SAME = 1e-9
"""Relative difference below which the answers of two runs of Dynare are the same."""
WORTH_SAYING = 1e-7
"""What a looser steady state may move before the table says so."""

COSMETIC = re.compile(
    r"\s*(?:close|clear|clc|clearvars|more|format|warning|disp|fprintf|tic|toc|skipline|figure|title|addpath)\b.*",
    re.DOTALL,
)
GRAPHICS = [
    "annotation",
    "area",
    "axis",
    "bar",
    "clf",
    "close",
    "colorbar",
    "colormap",
    "contour",
    "contourf",
    "drawnow",
    "figure",
    "fill",
    "gca",
    "gcf",
    "grid",
    "hist",
    "histogram",
    "hold",
    "legend",
    "line",
    "mesh",
    "patch",
    "plot",
    "plotyy",
    "print",
    "saveas",
    "semilogy",
    "set",
    "sgtitle",
    "subplot",
    "suptitle",
    "surf",
    "text",
    "title",
    "xlabel",
    "xlim",
    "ylabel",
    "ylim",
    "zlabel",
]
"""Functions of MATLAB that do nothing here: there is no screen, and a file should not fail for want
of one.
"""

Kind = Literal["solved", "no_solution", "no_shocks", "error", "time_limit"]


@dataclass(frozen=True)
class Answer:
    """What one run of Dynare said.

    `irf`: (shock, horizon + 1, variable), level deviations, impact first.
    """

    kind: Kind
    message: str = ""
    shocks: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    irf: list[list[list[float]]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    """Info code, parameters after the steady state, steady state, covariance of the shocks, moduli
    of the eigenvalues, flags.
    """
    stopped: str = ""
    """Why the run ended before its last command, if it did."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Dynare's side of a row: its answer, and why the file needs external MATLAB, if it does."""

    answer: Answer
    external: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Octave:
    """How Dynare is called: its `matlab` folder, the horizon asked for, seconds a run may take."""

    dynare: Path
    horizon: int
    limit: float

    def key(self, tree: Path, file: Path, scripts: Path = SCRIPTS, asked: str = "") -> str:
        """Names an answer by content: the file, everything beside it, the horizon, Dynare's place
        and version, these scripts, and what else was `asked` of Dynare.
        """
        called = (file.relative_to(tree), self.horizon, self.limit, self.dynare, asked)
        digest = hashlib.sha256("|".join(map(str, called)).encode())
        version = self.dynare / "dynare_version.m"
        own = [*sorted(scripts.glob("*.m")), Path(__file__), Path(__file__).with_name("driver.py")]
        for path in [*own, *([version] if version.exists() else [])]:
            digest.update(path.name.encode() + path.read_bytes())
        for path in sorted(p for p in tree.rglob("*") if p.is_file()):
            digest.update(str(path.relative_to(tree)).encode() + path.read_bytes())
        return f"{file.stem}-{digest.hexdigest()[:16]}"


def ask(octave: Octave, tree: Path, file: Path, cache: Path) -> Verdict:
    """Dynare's verdict on a file of the folder `tree`, from the cache where it was asked before."""
    cache.mkdir(parents=True, exist_ok=True)
    stored = cache / f"{octave.key(tree, file)}.json"
    if stored.exists():
        content = json.loads(stored.read_text())
        return Verdict(
            Answer(**content["answer"]), tuple(content["external"]), tuple(content["notes"])
        )
    verdict = judge(octave, tree, file)
    partial = stored.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(verdict)))
    partial.replace(stored)
    return verdict


def judge(octave: Octave, tree: Path, file: Path) -> Verdict:
    """Runs Dynare once or twice (see the module's text)."""
    try:
        statements = parse(file)
    except ValueError as problem:
        return Verdict(Answer("error", str(problem)))
    names = [str(s["statementName"]) for s in statements]
    last = max(
        (
            k
            for k, name in enumerate(names)
            if name in {"stoch_simul", "discretionary_policy", "ramsey_policy"}
        ),
        default=len(names),
    )
    native = [str(s["string"]) for s in statements if s["statementName"] in MATLAB]
    early = [str(s["string"]) for s in statements[:last] if s["statementName"] in MATLAB]
    declared = run(octave, tree, file, "declared", native)
    acts = any(not plain(line) and not COSMETIC.fullmatch(line) for line in early)
    full = run(octave, tree, file, "full", native) if acts else declared
    whole = declared.kind == "solved" and (not declared.stopped or last == len(names))
    answer = full if not whole and full.kind == "solved" else declared
    foresight = [name for name in names if name.startswith(("perfect_foresight", "simul"))]
    if answer.kind != "solved" and last == len(names) and foresight:
        answer = Answer("no_shocks", "perfect foresight only")
    external = []
    if (
        answer.details.get("steady_state_by", 1) == 1
        and file.with_name(f"{file.stem}_steadystate.m").exists()
    ):
        external.append("steady state from a file of MATLAB")
    if answer.details.get("external_function"):
        external.append("external function")
    if "load_params_and_steady_state" in names:
        external.append("parameters from another file")
    if full.kind == "solved" and not whole and full is not declared:
        external.append(
            "MATLAB lines are needed (without them:"
            f" {declared.stopped or declared.message or declared.kind})"
        )
    elif full.kind == "solved" and not full.stopped and not alike(declared, full):
        external.append("MATLAB lines change the answer")
    moved = answer.details.get("own_tolerance_moves", 0.0)
    notes = (
        [f"at its own steady-state tolerance Dynare's responses move by {moved:.1e}"]
        if moved > WORTH_SAYING
        else []
    )
    notes += ["estimation not run"] if "estimation" in names else []
    notes += ["no stoch_simul"] if last == len(names) else []
    notes += sorted(
        {
            name
            for name in names
            if name.startswith(
                ("perfect_foresight", "simul", "occbin", "osr", "ramsey", "discretion")
            )
        }
    )
    notes += [
        f"run stopped: {run.stopped}"
        for run in {declared.stopped: declared, full.stopped: full}.values()
        if run.stopped
    ]
    return Verdict(answer, tuple(external), tuple(notes))


def alike(one: Answer, other: Answer) -> bool:
    if (one.shocks, one.variables) != (other.shocks, other.variables):
        return False
    first, second = np.array(one.irf), np.array(other.irf)
    return bool((np.abs(first - second) <= SAME * np.maximum(1, np.abs(second))).all())


def run(
    octave: Octave, tree: Path, file: Path, mode: Literal["declared", "full"], native: list[str]
) -> Answer:
    """One run in a scratch copy of the folder `tree`."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(tree, Path(scratch) / "copy"))
        work = copy / file.relative_to(tree).parent
        text = preprocess(
            work, file.name, "noclearall", "nograph", "nolog", "mexext=mex", "matlabroot=."
        )
        driver = work / f"+{file.stem}" / "driver.m"
        if not driver.exists():
            return Answer("error", preprocessor_message(text))
        script = driver.read_text("latin-1")
        script = until_last_simulation(
            declared_part(script, native) if mode == "declared" else script
        )
        (work / "referee_driver.m").write_text(script, "latin-1")
        for path in SCRIPTS.glob("*.m"):
            shutil.copy(path, work)
        for name in GRAPHICS:
            (work / f"{name}.m").write_text(
                f"function varargout = {name}(varargin)\n  varargout = cell(1, nargout);\nend\n"
            )
        shutil.copy(octave.dynare / "stoch_simul.m", work / "genuine_stoch_simul.m")
        finished = call(octave, work, mode)
        return replace(read(work, finished), seconds=round(time.monotonic() - start, 2))


def call(octave: Octave, work: Path, mode: str) -> bool:
    """Runs Octave in the folder; False if it was stopped at the time limit, with all that it had
    started.
    """
    command = [
        "octave-cli",
        "--norc",
        "--quiet",
        "--eval",
        f"addpath('{octave.dynare}'); referee_ask('referee_driver')",
    ]
    environment = {
        **os.environ,
        "REFEREE_MODE": mode,
        "REFEREE_HORIZON": str(octave.horizon),
        "OMP_NUM_THREADS": "1",
    }
    with open(work / "octave.log", "wb") as log:
        process = subprocess.Popen(
            command,
            cwd=work,
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(octave.limit)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def recorded(octave: Octave, work: Path, name: str, scripts: Path, answer: str) -> Path | None:
    """The file `answer` that the scripts of another benchmark leave in the folder `work`, where the
    declared part of the file `name` is run with them up to its last `stoch_simul`; None without
    one. A file that has no `stoch_simul` is asked at its end.
    """
    native = [str(s["string"]) for s in parse(work / name) if s["statementName"] in MATLAB]
    preprocess(work, name, "noclearall", "nograph", "nolog", "mexext=mex", "matlabroot=.")
    script = (work / f"+{Path(name).stem}" / "driver.m").read_text("latin-1")
    script = until_last_simulation(declared_part(script, native))
    (work / "referee_driver.m").write_text(with_simulation(script), "latin-1")
    for path in [*SCRIPTS.glob("*.m"), *scripts.glob("*.m")]:
        shutil.copy(path, work)
    for graphic in GRAPHICS:
        (work / f"{graphic}.m").write_text(
            f"function varargout = {graphic}(varargin)\n  varargout = cell(1, nargout);\nend\n"
        )
    shutil.copy(octave.dynare / "stoch_simul.m", work / "genuine_stoch_simul.m")
    call(octave, work, "declared")
    return work / answer if (work / answer).exists() else None


def read(work: Path, finished: bool) -> Answer:
    """The answer that a run left in its folder: the last one taken, even where the run failed later
    (`stopped` says why).
    """
    error = work / "error.txt"
    message = error.read_text("latin-1").strip() if error.exists() else ""
    if (work / "answer.mat").exists():
        try:
            answer = answered(loadmat(work / "answer.mat", simplify_cells=True)["record"])
        except (OSError, ValueError, KeyError, TypeError) as problem:
            return Answer("error", f"answer.mat cannot be read: {problem}")
        return replace(answer, stopped=message if finished else "time limit")
    if (work / "no_shocks.txt").exists() and not message:
        return Answer("no_shocks")
    if not finished:
        return Answer("time_limit", message)
    tail = (work / "octave.log").read_text("latin-1").strip()[-300:]
    return Answer("error", message or tail)


def answered(record: dict[str, Any]) -> Answer:
    listed = {
        name: tuple(np.atleast_1d(record[name]).tolist())
        for name in ("variables", "parameters", "exogenous")
    }
    info = int(np.atleast_1d(record["info"])[0])
    details = {
        "info": info,
        "parameters": dict(
            zip(listed["parameters"], np.atleast_1d(record["values"]).tolist(), strict=True)
        ),
        "exogenous": listed["exogenous"],
        "covariance": np.atleast_2d(record["covariance"]).tolist(),
        "moduli": np.sort(np.abs(np.atleast_1d(record["eigenvalues"]))).tolist(),
        **{
            name: int(record[name])
            for name in (
                "steady_state_by",
                "external_function",
                "loglinear",
                "discretion",
                "ramsey",
                "tight",
            )
        },
    }
    if info:
        return Answer(
            "no_solution",
            f"info {info}: {record['message']}",
            variables=listed["variables"],
            details=details,
        )
    shocks = tuple(np.atleast_1d(record["shocks"]).tolist())
    details["steady_state"] = np.atleast_1d(record["steady_state"])[
        : len(listed["variables"])
    ].tolist()
    irf = np.reshape(record["irf"], (len(shocks), -1, len(listed["variables"])))
    if np.size(record["own_irf"]):
        own = np.reshape(record["own_irf"], irf.shape)
        details["own_tolerance_moves"] = float(
            (np.abs(own - irf) / np.maximum(1, np.abs(irf))).max()
        )
    return Answer(
        "solved", shocks=shocks, variables=listed["variables"], irf=irf.tolist(), details=details
    )
