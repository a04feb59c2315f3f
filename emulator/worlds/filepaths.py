"""A Dynare `.mod` file whose answer is not a linear rule, in its own variables and units: perfect
foresight, and what else `emulator.modfile.compiling.kinds` lists with `paths`.

Axes: n draw, P parameter, S shock, H horizon, T period, V variable of the file, K exogenous
variable of the file.
"""

from __future__ import annotations

import numpy as np

from emulator.errors import NoSolutionError, ParameterError
from emulator.modfile import CompiledModel
from emulator.modfile.compiling.calibration import without_shocks
from emulator.modfile.compiling.extended_path import ExtendedPath
from emulator.modfile.compiling.kinds import EXTENDED, KINDS
from emulator.spec import DEFAULT_HORIZON, Status
from emulator.worlds.base import OnFailure, check_on_failure
from emulator.worlds.filemodel import FileModel, FileWorld


class FilePaths(FileWorld):
    """The model of a file, whose run a `PathSolver` answers."""

    has_trajectories = False
    solution = "path that converges"

    def __init__(self, model: CompiledModel) -> None:
        super().__init__(model)
        self.solver = model.kind.path_solver(model)
        self.spec = self._spec(self.solver.shocks, self.solver.unit, linear=False)
        if model.calibration.run is None:
            self.no_shocks = without_shocks(model.file)

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.solver.responses(self.full_theta(theta), 0)[1]

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        responses, status = self.solver.responses(self.full_theta(theta), horizon)
        self._refuse(theta, status != 0, on_failure)
        return responses[..., : len(self.shown)]

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        raise ParameterError(
            f"'{self.model.file.path.name}' is solved for {self.model.kind.title}, which has no"
            " paths under other shocks; ask irf, or name another run."
        )

    def explain(self, theta: np.ndarray) -> str:
        """Why a draw (1, P) has no solution, with file and line."""
        return self.solver.explain(self.full_theta(theta))


class ExtendedFile(FilePaths):
    """The non-linear model of a file; every shock is a surprise, and no other is ever expected."""

    has_trajectories = True

    def __init__(self, model: CompiledModel) -> None:
        super().__init__(model)
        assert isinstance(self.solver, ExtendedPath)
        self.extended = self.solver

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        shocks = self._check_shocks(theta, shocks)
        full = self.full_theta(theta)
        in_file_units = np.einsum("nts,nsk->ntk", shocks, self.extended.unit_shocks(full))
        levels, status, why = self.extended.simulate(full, in_file_units)
        failed = np.flatnonzero(status != Status.OK)
        check_on_failure(on_failure)
        if len(failed) and on_failure == "raise":
            raise NoSolutionError(
                f"World '{self.spec.name}': {len(failed):,} of {len(theta):,} simulated paths did"
                f" not converge. That of draw {failed[0]} ended {why[failed[0]]} In Python,"
                " on_failure='nan' has NaN in its place."
            )
        return levels[:, :, : len(self.shown)] - self.levels(theta)[:, None]

    def levels(self, theta: np.ndarray) -> np.ndarray:
        """Steady states (n, V) of the variables."""
        return self.model.steady_state(self.full_theta(theta))[:, : len(self.shown)]

    def _simulated_response(
        self, theta: np.ndarray, shocks: np.ndarray, on_failure: OnFailure
    ) -> np.ndarray:
        moved = self.simulate(theta, shocks, on_failure=on_failure)
        if not self.extended.has_past:
            return moved
        return moved - self.simulate(theta, np.zeros_like(shocks), on_failure=on_failure)


def world_of_file(model: CompiledModel) -> FileWorld:
    """The world of a compiled file, by the kind of solution that its run asks for."""
    if not model.kind.paths:
        return FileModel(model)
    if model.kind is KINDS["occbin_solver"]:
        from emulator.worlds.filebinding import BindingFile

        return BindingFile(model)
    if model.kind is EXTENDED:
        return ExtendedFile(model)
    return FilePaths(model)
