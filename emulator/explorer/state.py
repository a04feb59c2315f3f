"""What the page shows, as its address carries it: one line of text that can be sent on, read
strictly and written shortly.

world=nk&shock=monetary&size=25bp&horizon=20&p.kappa=0.05      the scenario that the sliders move
&with=sw07&with=zlb                                            other worlds at their defaults, under
                                                               the same shock
&pin=world%3Dnk%26shock%3Dmonetary%26p.kappa%3D0.1             scenarios that were pinned, each a
                                                               line of the same kind
&exact=0                                                       without the exact solution
&show=output&show=hours                                        the observables that are drawn, where
                                                               not the first six of the world
&view=history&sample=1984Q1:2007Q4                             what is shown in their place, see
                                                               `emulator.explorer.views`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

from emulator.errors import OutsideBoundsError, ParameterError, nearest
from emulator.explorer import views
from emulator.explorer.views import View
from emulator.inference.shock_size import ShockSize, units_of
from emulator.spec import Observable, WorldSpec

PREFIX = "p."
"""Before the name of a parameter, so that one named `size` is not taken for the shock's."""

DEFAULT_HORIZON, LONGEST_HORIZON = 20, 200
"""Periods."""

FIRST_SHOWN, MOST_SHOWN = 6, 24
"""Observables that are drawn until others are chosen, and at most."""

MOST_PINS, MOST_FIELDS, LONGEST_SIZE = 4, 400, 40
MOST_NAMED = 4
"""Values that a label names."""

SpecOf = Callable[[str], WorldSpec]


@dataclass(frozen=True)
class Scenario:
    """One world under one shock; values: the parameters that are not at their defaults, in the
    world's order.
    """

    world: str
    shock: str
    size: str = "1"
    values: tuple[tuple[str, float], ...] = ()

    @classmethod
    def read(cls, fields: Iterable[tuple[str, str]], spec_of: SpecOf) -> Scenario:
        """From the fields of an address.

        Raises `UnknownNameError`, `ParameterError`, also for a parameter outside what it can be.
        """
        others = dict(fields)
        world = others.pop("world")
        spec = spec_of(world)
        shock = others.pop("shock", None) or default_shock(spec)
        spec.shock_index(shock)
        size = others.pop("size", "1")
        _refuse_unknown(others, SCENARIO)
        if len(size) > LONGEST_SIZE:
            raise ParameterError(
                f"The size of the shock has {len(size)} characters; expected at most"
                f" {LONGEST_SIZE}, such as '25bp' or '2 sd'."
            )
        ShockSize.read(size, units_of(spec))
        given = {
            name.removeprefix(PREFIX): value
            for name, value in others.items()
            if name.startswith(PREFIX)
        }
        theta = spec.theta(given)[0]  # type: ignore[arg-type]  # text is read as a number, or refused by name
        impossible = spec.impossible(theta)
        if impossible:
            raise OutsideBoundsError(f"World '{world}': {impossible}.")
        changed = (
            (p.name, float(value))
            for p, value in zip(spec.parameters, theta, strict=True)
            if value != p.default
        )
        return cls(world, shock, size, tuple(changed))

    @classmethod
    def parse(cls, text: str, spec_of: SpecOf) -> Scenario:
        """From `text`, one field of an address; raises as `read`."""
        pairs = _pairs(text)
        _refuse_repeated(name for name, _ in pairs)
        return cls.read([("world", "nk"), *pairs], spec_of)

    @property
    def text(self) -> str:
        """The scenario as one field of an address."""
        return urlencode(self.fields())

    def fields(self) -> list[tuple[str, str]]:
        """The fields of an address from which `read` makes this scenario again."""
        size = [("size", self.size)] if self.size != "1" else []
        return [
            ("world", self.world),
            ("shock", self.shock),
            *size,
            *((PREFIX + name, repr(value)) for name, value in self.values),
        ]


@dataclass(frozen=True)
class State:
    """Everything that the page shows."""

    live: Scenario
    beside: tuple[str, ...] = ()
    pins: tuple[Scenario, ...] = ()
    horizon: int = DEFAULT_HORIZON
    exact: bool = True
    show: tuple[str, ...] = ()
    """Names of the observables that are drawn; empty for the first ones of the live world."""
    view: View = field(default_factory=View)
    """Responses, or something else of the live world."""

    @classmethod
    def read(cls, query: str, spec_of: SpecOf) -> State:
        """From the query of an address; an empty one is the start.

        Raises `UnknownNameError`, `ParameterError`.
        """
        pairs = _pairs(query)
        others = ("with", "pin", "horizon", "exact", "show")
        of_view = [pair for pair in pairs if View.owns(pair[0])]
        own = [pair for pair in pairs if pair[0] not in others and not View.owns(pair[0])]
        _refuse_unknown((name for name, _ in own if name not in SCENARIO), FIELDS)
        _refuse_repeated(name for name, _ in pairs)
        fields = dict(pairs)
        pins = tuple(
            dict.fromkeys(Scenario.parse(text, spec_of) for name, text in pairs if name == "pin")
        )
        if len(pins) > MOST_PINS:
            raise ParameterError(
                f"The address pins {len(pins)} scenarios; expected at most {MOST_PINS}."
            )
        beside = tuple(dict.fromkeys(text for name, text in pairs if name == "with"))
        for world in beside:
            spec_of(world)
        live = Scenario.read([("world", "nk"), *own], spec_of)
        spec = spec_of(live.world)
        return cls(
            live=live,
            beside=beside,
            pins=pins,
            horizon=_horizon(fields.get("horizon", str(DEFAULT_HORIZON)), spec.periods),
            exact=views.yes_or_no("exact", fields.get("exact", "1")),
            show=_show([text for name, text in pairs if name == "show"], spec),
            view=View.read(of_view, spec),
        )

    def shown(self, spec: WorldSpec) -> tuple[Observable, ...]:
        """The observables of the live world that are drawn, in the world's order."""
        if not self.show:
            return spec.observables[:FIRST_SHOWN]
        return tuple(o for o in spec.observables if o.name in self.show)

    def query(self) -> str:
        """The query of the address that `read` understands."""
        pairs = self.live.fields()
        pairs += [("horizon", str(self.horizon))] if self.horizon != DEFAULT_HORIZON else []
        pairs += [("exact", "0")] if not self.exact else []
        pairs += [("show", name) for name in self.show]
        pairs += [("with", world) for world in self.beside]
        pairs += [("pin", pin.text) for pin in self.pins]
        return urlencode(pairs + self.view.fields())

    def with_view(self, kind: str) -> State:
        """The same with another view."""
        return replace(self, view=replace(self.view, kind=kind))

    def scenarios(self) -> dict[int, Scenario]:
        """Every scenario by its place, which is its colour: the live one, other worlds, pins; none
        twice.
        """
        others = [
            Scenario(world, self.live.shock, self.live.size)
            for world in self.beside
            if world != self.live.world
        ]
        places: dict[Scenario, int] = {}
        for place, scenario in enumerate([self.live, *others, *self.pins]):
            places.setdefault(scenario, place)
        return {place: scenario for scenario, place in places.items()}

    def label(self, scenario: Scenario) -> str:
        """What tells a scenario from the others: its world, some of its values, and its shock where
        that is not the live one's.
        """
        pin = (
            f"pin {self.pins.index(scenario) + 1}: "
            if scenario in self.pins and scenario != self.live
            else ""
        )
        named = scenario.values[:MOST_NAMED]
        more = len(scenario.values) - MOST_NAMED
        parts = [
            scenario.world,
            *(f"{name}={value:g}" for name, value in named),
            *([f"{more} more"] if more > 0 else []),
        ]
        parts += [scenario.shock] if scenario.shock != self.live.shock else []
        parts += [scenario.size] if scenario.size != self.live.size else []
        return pin + ", ".join(parts)

    def without_pin(self, pin: Scenario) -> State:
        return replace(self, pins=tuple(other for other in self.pins if other != pin))


SCENARIO = ("world", "shock", "size")

FIELDS = (*SCENARIO, "horizon", "exact", "show", "with", "pin", *views.FIELDS)

REPEATED = ("show", "with", "pin", "condition", "by")
"""Fields that an address may have several times."""


def default_shock(spec: WorldSpec) -> str:
    """A tightening where the world knows one, else its first shock."""
    return "monetary" if "monetary" in spec.shock_names else spec.shock_names[0]


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise ParameterError(f"The address has more than {MOST_FIELDS} fields.") from None


def _refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if not name.startswith(PREFIX):
            raise ParameterError(
                f"The address has an unknown field '{name[:60]}'. {nearest(name[:60], known)}"
                f" Parameters are written {PREFIX}name."
            )


def _refuse_repeated(names: Iterable[str]) -> None:
    """Raise `ParameterError` where an address says two things at once."""
    seen = set()
    for name in names:
        if name in seen and name not in REPEATED:
            raise ParameterError(
                f"The address has the field '{name[:60]}' more than once; expected it once."
            )
        seen.add(name)


def _show(names: list[str], spec: WorldSpec) -> tuple[str, ...]:
    """The chosen observables in the world's order; empty where they are those that are drawn
    anyway. Raises `UnknownNameError`, `ParameterError`.
    """
    chosen = tuple(spec.observable_names[k] for k in sorted(set(map(spec.observable_index, names))))
    if len(chosen) > MOST_SHOWN:
        raise ParameterError(
            f"The address shows {len(chosen)} observables; expected at most {MOST_SHOWN}."
        )
    return () if chosen == spec.observable_names[:FIRST_SHOWN] else chosen


def _horizon(text: str, periods: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 4 or int(text) > LONGEST_HORIZON:
        raise ParameterError(
            f"The horizon is '{text[:20]}'; expected whole {periods}, 0 to {LONGEST_HORIZON}."
        )
    return int(text)
