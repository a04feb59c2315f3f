"""What the page knows of a model beside its answers: card, presets, the file it is read from, and
the world of that file under another mapping.
"""

from __future__ import annotations

from emulator.errors import ParameterError
from emulator.explorer.card import Card, card_of
from emulator.explorer.economies import Economies
from emulator.explorer.presets import Preset, presets_of
from emulator.explorer.uploads import Upload


class About:
    """Questions on the models of the page. Those of worlds that ship are answered once; threads may
    share it. All raise `UnknownNameError` for a world that is not there.
    """

    def __init__(self, economies: Economies) -> None:
        self.economies = economies
        self._cards: dict[str, Card] = {}
        self._presets: dict[str, list[Preset]] = {}

    def card(self, world: str) -> Card:
        """What is said of a model beside its spec. Raises `EmulatorError` where a file takes too
        long to say it.
        """
        solver = self.economies.solver(world)
        if isinstance(solver, Upload):
            return solver.card()
        if world not in self._cards:
            self._cards[world] = card_of(solver)
        return self._cards[world]

    def presets(self, world: str) -> list[Preset]:
        """Sets of parameters to start from."""
        solver, fit = self.economies.solver(world), self.economies.fit
        if isinstance(solver, Upload):
            presets = solver.presets
        else:
            if world not in self._presets:
                priors = getattr(solver.solver, "priors", {})
                self._presets[world] = presets_of(solver.spec, priors)
            presets = self._presets[world]
        if fit is None or fit.scenario.world != world:
            return presets
        return [*presets, Preset("Estimate", dict(fit.scenario.values), fit.name)]

    def file(self, world: str) -> str:
        """The name of the `.mod` file that a world is read from; empty without one."""
        solver = self.economies.solver(world)
        if isinstance(solver, Upload):
            return solver.file
        return "" if solver.source is None else solver.source.file

    def remapped(self, world: str, mapping: bytes) -> str:
        """Offer the world of the same file with another mapping; the name of that world.

        Raises as `Economies.load`, and `ParameterError` for a world of no file.
        """
        solver = self.economies.solver(world)
        if isinstance(solver, Upload):
            return self.economies.load(solver.with_mapping(mapping))
        source = solver.source
        if source is None:
            raise ParameterError(
                f"World '{world}' is written in Python and has no mapping. Worlds of .mod files"
                " have one."
            )
        if mapping.decode("utf-8", errors="replace") == source.mapping:
            return world
        return self.economies.load(Upload(source.file, source.text.encode(), mapping))
