"""`model.world.yaml`: what makes a world of a `.mod` file.

Which variables are observed, which parameters vary, which shocks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from emulator.errors import ModFileError, first_error, nearest, printable
from emulator.spec import (
    OBSERVABLE_UNITS,
    OBSERVABLES,
    UNKNOWN_UNIT,
    Frequency,
    Moves,
    Role,
    WorldName,
)
from emulator.worlds.priors import Prior

LARGEST_FILE = 500_000
"""Bytes."""
DEEPEST = 10
"""Tables and lists inside of one another."""

UNITS = dict(zip(OBSERVABLES, OBSERVABLE_UNITS, strict=True))
"""Units of the observables by which worlds are compared; they need not be written."""


def _refuse_control(record: BaseModel) -> None:
    """Raises `ValueError` for text with control characters, which a terminal would obey."""
    for name, value in record:
        if isinstance(value, str) and printable(value) != value:
            raise ValueError(f"{name} holds a control character; expected plain text")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _plain_text(self) -> Self:
        _refuse_control(self)
        return self


class Observed(_Record):
    """An observable as an expression in the file's variables; plain text is short for the
    expression alone. `unit` is that of the expression.
    """

    expression: str
    tex: str = ""
    meaning: str = ""
    unit: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"expression": str(value)} if isinstance(value, str | int | float) else value


class MappedShock(_Record):
    """One of the file's shocks under the name that the world gives it; `sign` -1 turns its
    direction. `size`, `process` and `moves_only` as those of `emulator.spec.Shock`.
    """

    variable: str
    tex: str = ""
    meaning: str = ""
    sign: float = Field(default=1.0)
    size: str | None = None
    process: tuple[str, ...] | None = None
    moves_only: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"variable": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _plus_or_minus(self) -> MappedShock:
        if self.sign not in (1.0, -1.0):
            raise ValueError(f"sign is {self.sign:g}; expected 1 or -1")
        return self


class MappedParameter(Prior):
    """A parameter that varies: its prior, and what a reader should know of it.

    `drawn` is the distribution that draws come from, where it is to be wider than the prior, so
    that networks learn what data may say against it; its range is the prior's unless it has its
    own, within that one.
    `default` is the value where nothing else is said; left out, it is the one of the `.mod` file.
    `bounds`, an interval such as "(0, 1)", is what it can be at all; a prior has another `bounds`.
    `moves_only` as that of `emulator.spec.Parameter`, such as `{shocks: [monetary]}`.
    """

    drawn: Prior | None = None
    default: float | None = None
    tex: str = ""
    unit: str = "1"
    meaning: str = ""
    role: Role = "constant"
    within: str = Field(default="", alias="bounds")
    moves_only: Moves | None = None

    @model_validator(mode="before")
    @classmethod
    def _range_of_draws(cls, value: Any) -> Any:
        """Give `drawn` the prior's range where it has none."""
        if not isinstance(value, dict) or not isinstance(value.get("drawn"), dict):
            return value
        ends = {name: value[name] for name in ("low", "high") if name in value}
        return value | {"drawn": ends | value["drawn"]}

    @model_validator(mode="after")
    def _drawn_within(self) -> Self:
        if self.drawn is None:
            return self
        (low, high), (least, most) = self.bounds(), self.drawn.bounds()
        if least < low or most > high:
            raise ValueError(
                f"drawn reaches from {least:g} to {most:g}, beyond the range {low:g} to {high:g} of"
                " the prior"
            )
        return self

    @property
    def proposal(self) -> Prior:
        """The distribution that draws come from."""
        return self if self.drawn is None else self.drawn

    @model_validator(mode="after")
    def _plain_text(self) -> Self:
        _refuse_control(self)
        return self


class HeldOut(_Record):
    """Parameters whose upper tails are held out of training; see `emulator.spec.Extrapolation`."""

    slice: tuple[str, ...] = Field(min_length=1)
    corner: tuple[str, ...] = Field(min_length=1)


class Mapping(_Record):
    """The whole file.

    Observables are those by which worlds are compared, in their usual order, then the others in the
    order of the file. Each of the others has a unit, or `UNKNOWN_UNIT` where none is given.
    """

    name: WorldName | None = None
    title: str = ""
    summary: str = ""
    source: str = ""
    prior: str = ""
    frequency: Frequency = "quarter"
    observables: dict[WorldName, Observed] = Field(min_length=1)
    shocks: dict[WorldName, MappedShock] | None = Field(default=None, min_length=1)
    parameters: dict[str, MappedParameter] | None = Field(default=None, min_length=1)
    extrapolation: HeldOut | None = None

    @field_validator("observables")
    @classmethod
    def _with_units(cls, given: dict[str, Observed]) -> dict[str, Observed]:
        for name, item in given.items():
            if name in UNITS and item.unit not in ("", UNITS[name], UNKNOWN_UNIT):
                raise ValueError(
                    f"{name} is in {item.unit}; expected {UNITS[name]}, in which worlds are"
                    " compared, or another name"
                )
        order = dict.fromkeys([*(name for name in OBSERVABLES if name in given), *given])
        units = {name: given[name].unit or UNITS.get(name, UNKNOWN_UNIT) for name in order}
        return {name: given[name].model_copy(update={"unit": units[name]}) for name in order}

    @property
    def without_unit(self) -> tuple[str, ...]:
        """Observables whose unit nobody gave."""
        return tuple(n for n, item in self.observables.items() if item.unit == UNKNOWN_UNIT)


def read_text(path: Path) -> str:
    """The text of a mapping. Raises `ModFileError` where it cannot be read."""
    try:
        if path.exists() and not path.is_file():
            raise ModFileError("this is not a regular file.", path.name)
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise ModFileError(
                f"the file has more than {LARGEST_FILE:,} bytes; that is not a mapping.", path.name
            )
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ModFileError("this is not a text in UTF-8.", path.name) from None
    except OSError as error:
        raise ModFileError(f"cannot be read: {error.strerror}.", path.name) from None


class _UniqueKeys(yaml.SafeLoader):
    """The safe loader, which refuses a key that stands twice in one table instead of forgetting the
    first.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a list or a table stands where a key, a plain name, was expected",
                    problem_mark=key.start_mark,
                )
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key '{key.value}' stands here a second time",
                    problem_mark=key.start_mark,
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse_mapping(text: str, where: str) -> Mapping:
    """A mapping from its text; `where` names its file.

    Raises `ModFileError`, with line where YAML knows it, for a text that is not one.
    """
    try:
        _refuse_aliases(text, where)
        content = yaml.load(text, Loader=_UniqueKeys)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ModFileError(f"this is not YAML: {error.problem}.", f"{where}:{line}") from None
    except (
        yaml.YAMLError,
        RecursionError,
        ValueError,
    ) as error:  # ValueError: a date of the 45th, a number of many thousand digits
        raise ModFileError(f"this is not a YAML text ({type(error).__name__}).", where) from None
    if not isinstance(content, dict):
        raise ModFileError("expected a table with observables, parameters and shocks.", where)
    for key in content:
        if key not in Mapping.model_fields:
            raise ModFileError(
                f"'{key}' is nothing that a mapping says."
                f" {nearest(str(key), Mapping.model_fields)}",
                where,
            )
    try:
        return Mapping.model_validate(content)
    except (ValidationError, ValueError) as error:
        what = first_error(error) if isinstance(error, ValidationError) else str(error)
        raise ModFileError(f"{what}.", where) from None


def _refuse_aliases(text: str, where: str) -> None:
    """A mapping needs neither aliases, by which a few lines could stand for billions, nor tables
    deep inside of others.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = f"{where}:{event.start_mark.line + 1}" if event.start_mark else where
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
            event, yaml.CollectionEndEvent
        )
        if depth > DEEPEST:
            raise ModFileError("tables nest too deep for a mapping.", place)
        if isinstance(event, yaml.AliasEvent):
            raise ModFileError(
                "aliases (*name) are not supported; write out what they stand for.", place
            )
