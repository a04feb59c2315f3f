"""What the page shows of data, as its address carries it: a history and its decomposition, a
forecast under a condition, responses of a posterior and of the data among the others.

view=forecast&data=us&sample=1984Q1:2007Q4       which data, and which part of them
&o.rate=rate %2B mean&e.rate=0.2&t.gdp=log       equation, error of measurement and transformation
                                                 of a series; an empty equation leaves it out
&start=diffuse                                   what is known before the data
&ahead=8&condition=rate:4.5,4.25,,4&by=monetary  a forecast: how far, the path of a series or
&announced=1                                     observable, and which shocks meet it
&posterior=nk-3f2a&over=us                       draws whose responses are shown, and data whose
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from emulator.errors import ParameterError, SeriesError
from emulator.spec import WorldSpec

Kind = Literal["responses", "history", "forecast"]

KINDS: tuple[str, ...] = get_args(Kind)

TITLES = {
    "responses": "Responses",
    "history": "History",
    "forecast": "Forecast",
}

START = "stationary"

STARTS = {"stationary": "the world at rest", "diffuse": "levels unknown (unit roots)"}
"""What is known before the data, and how the page says it."""

USUAL_AHEAD, LONGEST_AHEAD = 12, 40
"""Periods of a forecast."""

MOST_SERIES, LONGEST_TEXT = 30, 200
"""Series that an address speaks of, and characters of one of its texts."""

PREFIXES = {"equations": "o.", "errors": "e.", "transforms": "t."}
"""Before the name of a series, by what is said of it."""

FIELDS = (
    *("view", "data", "sample", "start", "ahead", "condition", "by", "announced"),
    *("posterior", "over"),
)

Texts = tuple[tuple[str, str], ...]
"""What is said of series, by name."""

Path = tuple[str, tuple[float, ...]]
"""A series or observable, and the path that it takes from the first period of the forecast on; NaN
where a period is free.
"""


@dataclass(frozen=True)
class View:
    """What is shown of the live world. posterior, over: names of draws and of data whose responses
    stand among the others; data and all that follows it: of histories and forecasts.
    """

    kind: str = "responses"
    data: str = "us"
    sample: str = ""
    start: str = START
    equations: Texts = ()
    errors: Texts = ()
    transforms: Texts = ()
    ahead: int = USUAL_AHEAD
    conditions: tuple[Path, ...] = ()
    by: tuple[str, ...] = ()
    announced: bool = False
    posterior: str = ""
    over: str = ""

    @classmethod
    def owns(cls, name: str) -> bool:
        """Whether a field of an address belongs to a view."""
        return name in FIELDS or name.startswith(tuple(PREFIXES.values()))

    @classmethod
    def read(cls, pairs: Sequence[tuple[str, str]], spec: WorldSpec) -> View:
        """From the fields of an address that `owns` takes, for a world.

        Raises `UnknownNameError`, `ParameterError`.
        """
        for name, text in pairs:
            if len(text) > LONGEST_TEXT or len(name) > LONGEST_TEXT:
                raise ParameterError(
                    f"The field '{name[:40]}' has {max(len(name), len(text))} characters; expected"
                    f" at most {LONGEST_TEXT}."
                )
        fields = dict(pairs)
        ahead = _ahead(fields.get("ahead", str(USUAL_AHEAD)), spec.periods)
        by = tuple(dict.fromkeys(text for name, text in pairs if name == "by"))
        for shock in by:
            spec.shock_index(shock)
        return cls(
            kind=_one_of("view", fields.get("view", KINDS[0]), KINDS),
            data=fields.get("data", "us"),
            sample=fields.get("sample", "").strip(),
            start=_one_of("start", fields.get("start", START), tuple(STARTS)),
            equations=_of_series(pairs, "equations"),
            errors=_of_series(pairs, "errors"),
            transforms=_of_series(pairs, "transforms"),
            ahead=ahead,
            conditions=_conditions([text for name, text in pairs if name == "condition"], ahead),
            by=by,
            announced=yes_or_no("announced", fields.get("announced", "0")),
            posterior=fields.get("posterior", ""),
            over=fields.get("over", ""),
        )

    def fields(self) -> list[tuple[str, str]]:
        """The fields of an address from which `read` makes this view again; what is usual is left
        out.
        """
        usual = View()
        pairs = [("view", self.kind)] if self.kind != usual.kind else []
        pairs += [
            (name, getattr(self, name))
            for name in ("data", "sample", "start", "posterior", "over")
            if getattr(self, name) != getattr(usual, name)
        ]
        for what, prefix in PREFIXES.items():
            pairs += [(prefix + name, text) for name, text in getattr(self, what)]
        pairs += [("ahead", str(self.ahead))] if self.ahead != usual.ahead else []
        pairs += [("condition", f"{name}:{path_text(path)}") for name, path in self.conditions]
        pairs += [("by", shock) for shock in self.by]
        return pairs + ([("announced", "1")] if self.announced else [])


def path_text(path: Sequence[float]) -> str:
    """Numbers separated by commas; nothing where a period is free."""
    return ",".join("" if math.isnan(value) else f"{value:.6g}" for value in path)


def yes_or_no(field: str, text: str) -> bool:
    """Whether a field of an address is switched on. Raises `ParameterError` for other texts."""
    return _one_of(field, text, ("0", "1")) == "1"


def _one_of(field: str, text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise ParameterError(
            f"The address has {field}={text[:40]}; expected one of {', '.join(known)}."
        )
    return text


def _of_series(pairs: Sequence[tuple[str, str]], what: str) -> Texts:
    prefix = PREFIXES[what]
    texts = {name.removeprefix(prefix): text for name, text in pairs if name.startswith(prefix)}
    if len(texts) > MOST_SERIES:
        raise SeriesError(
            f"The address says {what} of {len(texts)} series; expected at most {MOST_SERIES}."
        )
    return tuple(texts.items())


def _ahead(text: str, periods: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= LONGEST_AHEAD:
        raise ParameterError(
            f"The forecast reaches '{text[:20]}' ahead; expected whole {periods}, 1 to"
            f" {LONGEST_AHEAD}."
        )
    return int(text)


def _conditions(texts: Sequence[str], ahead: int) -> tuple[Path, ...]:
    """Paths, each written `name:4.5,4.25,,4`, as far as the forecast reaches; one without a number
    is none.
    """
    paths: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, colon, numbers = text.rpartition(":")
        path = tuple(_number(text, part) for part in numbers.split(","))
        if not colon or len(path) > LONGEST_AHEAD:
            raise _bad_condition(text)
        if name in paths:
            raise ParameterError(
                f"The address has two conditions on '{name[:60]}'; expected one path."
            )
        if any(map(math.isfinite, path[:ahead])):
            paths[name] = path[:ahead]
    return tuple(paths.items())


def _number(text: str, part: str) -> float:
    if not part.strip():
        return math.nan
    try:
        value = float(part)
    except ValueError:
        value = math.inf
    if not abs(value) < 1e9:
        raise _bad_condition(text)
    return value


def _bad_condition(text: str) -> ParameterError:
    return ParameterError(
        f"The condition is '{text[:60]}'; expected a series or observable and at most"
        f" {LONGEST_AHEAD} numbers, one a period, such as rate:4.5,4.25,,4 (nothing between two"
        " commas leaves a period free)."
    )
