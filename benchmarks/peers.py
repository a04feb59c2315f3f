"""The solvers that `benchmarks/solve.py` measures us against, each asked the same question at the
same draws.

A peer takes theta (n, P) of a world, answers with responses in the world's units and says what CPU
time it took.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import linalg
from scipy.io import loadmat

from emulator.solvers.qz import CRITERIUM, pencil
from emulator.tests.reference import dynare
from emulator.worlds import get_world
from emulator.worlds.modworld import ModWorld
from emulator.worlds.nk import equations

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "emulator"
QUARTERS = 41

Pencils = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """A world as a `.mod` file: what is output, inflation and rate in it, and its shocks in the
    world's order.
    """

    world: str
    mod: Path
    variables: tuple[str, str, str]
    shocks: tuple[str, ...]
    in_levels: bool = False
    """Whether variables are levels, of which the world shows percent of the steady state."""

    def units(self, paths: np.ndarray, steady: np.ndarray) -> np.ndarray:
        """Level deviations (n, S, H+1, 3) around steady (n, 3) in the world's units."""
        scaled = 100 * paths / steady[:, None, None, :] if self.in_levels else paths
        return scaled * np.array([1.0, 4.0, 4.0])


CASES = (
    Case("nk", PACKAGE / "tests/reference/nk/nk.mod", ("x", "pi", "i"), ("e_m", "e_r", "e_u")),
    Case(
        "rbc", PACKAGE / "worlds/rbc.mod", ("y", "Pi", "R"), ("e_a", "e_g", "e_m"), in_levels=True
    ),
    Case(
        "sw07",
        PACKAGE / "worlds/sw07.mod",
        ("y", "pi", "r"),
        tuple(f"eta_{letter}" for letter in "abgirpw"),
    ),
)


class DynareLoop:
    """One Octave session with Dynare, all cases loaded; see solve_loop.m.

    Times are CPU seconds taken inside it.
    """

    def __init__(self, folder: Path, matlab: Path) -> None:
        self.folder = folder
        shutil.copy(HERE / "solve_loop.m", folder)
        for case in CASES:
            shutil.copy(case.mod, folder)
            (folder / f"{case.world}.txt").write_text("\n".join(case.variables))
        names = ", ".join(f"'{case.world}'" for case in CASES)
        command = [
            "octave-cli",
            "--norc",
            "--quiet",
            "--eval",
            f"addpath('{matlab}'); solve_loop({{{names}}})",
        ]
        self.log = open(folder / "octave.log", "w")  # noqa: SIM115 (closed with the session)
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self._answer()

    def _answer(self) -> str:
        """The next line that begins with @; leaves with Octave's last words if there is none."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("@ "):
                return line[2:].strip()
        raise SystemExit(f"Octave ended:\n{(self.folder / 'octave.log').read_text()[-2000:]}")

    def _ask(self, case: Case, theta: np.ndarray, keep: str = "") -> float:
        assert self.process.stdin is not None
        dynare.write_theta(
            self.folder / f"{case.world}.csv", get_world(case.world).spec.parameter_names, theta
        )
        self.process.stdin.write(
            f"{case.world} {keep}\n\n"
        )  # Octave returns a line when it sees the one after it
        self.process.stdin.flush()
        return float(self._answer())

    def seconds(self, case: Case, theta: np.ndarray) -> float:
        return self._ask(case, theta)

    def irf(self, case: Case, theta: np.ndarray) -> np.ndarray:
        self._ask(case, theta, "keep")
        answer = loadmat(self.folder / f"{case.world}.mat")
        return case.units(answer["irfs"].transpose(3, 2, 0, 1), answer["steady"].T)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


class Dsgelab:
    """dsgelab's own loop: its importer reads our `.mod` files; per draw steady state, solution,
    responses.
    """

    def __init__(self) -> None:
        import dsgelab

        self.library = dsgelab
        self.read: dict[str, Any] = {case.world: dsgelab.from_mod(case.mod) for case in CASES}

    def irf(self, case: Case, theta: np.ndarray) -> np.ndarray:
        file = self.read[case.world]
        names = get_world(case.world).spec.parameter_names
        paths = []
        for row in theta:
            params = {**file.params, **dict(zip(names, row.tolist(), strict=True))}
            solution = self.library.solve(
                file.model, params, steady=file.steady_state(params=params), qz_criterium=CRITERIUM
            )
            by_shock = (
                solution.irf(shock, periods=QUARTERS, percent=case.in_levels)
                for shock in case.shocks
            )
            paths.append(
                [[path[variable][:QUARTERS] for variable in case.variables] for path in by_shock]
            )
        return np.array(paths).transpose(0, 1, 3, 2) * np.array([1.0, 4.0, 4.0])

    def seconds(self, case: Case, theta: np.ndarray) -> float:
        started = time.process_time()
        self.irf(case, theta)
        return time.process_time() - started


class Ordqz:
    """A loop over `scipy.linalg.ordqz` that gets its pencils ready-made: no derivatives, no
    responses, no certificate.
    """

    def pencils(self, case: Case, theta: np.ndarray) -> tuple[Pencils, np.ndarray, np.ndarray]:
        """Pencils of the draws; positions of lagged and forward-looking variables, the same at
        each.
        """
        pencils = [
            pencil(*matrices) for matrices in zip(*self.matrices(case, theta)[:3], strict=True)
        ]
        return [(g0, g1) for g0, g1, _, _ in pencils], pencils[0][2], pencils[0][3]

    @staticmethod
    def matrices(case: Case, theta: np.ndarray) -> Sequence[np.ndarray]:
        world = get_world(case.world)
        if isinstance(world, ModWorld):
            return world.model.matrices(
                world.model.theta(dict(zip(world.spec.parameter_names, theta.T, strict=True)))
            )
        return equations(theta)

    @staticmethod
    def rules(pencils: Pencils, n_lagged: int) -> list[np.ndarray]:
        """Forward-looking variables, then lagged ones, on lagged ones: one matrix a draw."""
        rules, s = [], slice(0, n_lagged)
        for g0, g1 in pencils:
            aa, bb, _, _, _, z = linalg.ordqz(g1, g0, sort="iuc", output="real")
            dynamics = z[s, s] @ np.linalg.solve(bb[s, s], aa[s, s])
            rules.append(
                np.linalg.solve(z[s, s].T, np.concatenate([z[n_lagged:, s], dynamics]).T).T
            )
        return rules

    def seconds(self, case: Case, theta: np.ndarray) -> float:
        pencils, lagged, _ = self.pencils(case, theta)
        started = time.process_time()
        self.rules(pencils, len(lagged))
        return time.process_time() - started

    def irf(self, case: Case, theta: np.ndarray) -> np.ndarray:
        """Responses that follow from its rules; not timed."""
        pencils, lagged, forward = self.pencils(case, theta)
        lead, current, _, shock = self.matrices(case, theta)
        transition = np.zeros_like(current)
        for k, rule in enumerate(self.rules(pencils, len(lagged))):
            transition[k][np.ix_(np.concatenate([forward, lagged]), lagged)] = rule
        state, paths = -np.linalg.solve(lead @ transition + current, shock), []
        for _ in range(QUARTERS):
            paths.append(state)
            state = transition @ state
        return self.observed(case, theta, np.stack(paths, axis=1))

    @staticmethod
    def observed(case: Case, theta: np.ndarray, paths: np.ndarray) -> np.ndarray:
        """Paths (n, H+1, n variables, S) of all variables as the world's responses."""
        world = get_world(case.world)
        names = world.model.variables if isinstance(world, ModWorld) else world.spec.states
        chosen = paths[:, :, [names.index(v) for v in case.variables]].transpose(0, 3, 1, 2)
        steady = np.ones((len(theta), 3))
        if isinstance(world, ModWorld) and case.in_levels:
            model = world.model
            all_steady = model.steady_state(
                model.theta(dict(zip(world.spec.parameter_names, theta.T, strict=True)))
            )
            steady = all_steady[:, [names.index(v) for v in case.variables]]
        return case.units(chosen, steady)
