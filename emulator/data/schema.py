"""The data format: what a request asks for and what the manifest says; `layout` has the arrays of a
world.

`docs/data_format.md` is the same in prose.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from emulator.errors import DatasetError
from emulator.files import sha256
from emulator.spec import DEFAULT_HORIZON, WorldName, WorldSpec
from emulator.worlds import Source, from_source, get_world

if TYPE_CHECKING:
    from emulator.worlds import World

FORMAT_VERSION: Literal[1] = 1
SPLITS = ("train", "val", "test", "test_extrapolation_slice", "test_extrapolation_corner")
HARD = "train_hard"
"""The split of hard draws (`hard.py`), in worlds that have any; for training beside `train`."""

MIN_DRAWS = 20
DEFAULT_VERDICTS = 20_000
BEFORE_UNTIL = "emulator generate --until"
"""Origin of draws in data sets older than `Request.until`, which hold them as imported ones."""
VERDICT_TASKS = 8
"""Tasks' worth of draws that are judged apart at most in a world whose tasks are small because its
draws cost much.
"""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fractions(_Record):
    """Shares of the draws: val and test of what lies outside the held-out regions, the regions of
    the whole prior.
    """

    val: float = Field(default=0.1, gt=0, lt=0.5)
    test: float = Field(default=0.1, gt=0, lt=0.5)
    test_extrapolation_slice: float = Field(default=0.1, gt=0, lt=0.5)
    test_extrapolation_corner: float = Field(default=0.05, gt=0, lt=0.5)


class Imported(_Record):
    """Where the draws of a world came from that was solved elsewhere."""

    origin: str = Field(description="name of the file, or 'arrays'")
    sha256: str = Field(default="", description="SHA-256 of the file; empty where it is none")
    draws: int = Field(ge=1, description="draws that were given, with and without responses")
    failed: int = Field(ge=0, description="draws of these that have no responses")


class Until(_Record):
    """How the draws of a world came about that was drawn until an emulator of them was good
    enough: they were solved by its solver, as they were wanted.
    """

    error: float = Field(gt=0, lt=1, description="NRMSE on fresh draws that was asked for")
    most: int = Field(ge=1, description="draws with a solution at most")
    choosing: bool = Field(description="whether new draws were chosen where emulators differ")
    rounds: tuple[tuple[int, float], ...] = Field(
        min_length=1, description="draws that taught an emulator, and its NRMSE on fresh ones"
    )
    draws: int = Field(default=1, ge=1, description="all draws, with and without a solution")
    failed: int = Field(default=0, ge=0, description="draws of these without a solution")


class Part(_Record):
    """What is stored of each group: the dear part of the world that its draws share."""

    size: int = Field(ge=1, description="numbers of a part")
    closure_sha256: str = Field(description="names the equations that close the part")


class Group(_Record):
    """Draws that have the parameters in common whose solution is dear."""

    parameters: tuple[str, ...] = Field(min_length=1)
    draws: int = Field(ge=2, description="draws of a group; fewer where some have no solution")
    part: Part | None = Field(
        default=None, description="stored once for each group; none in data sets older than this"
    )

    @model_serializer(mode="wrap")
    def _without_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As in data sets older than `part` where there is none."""
        return {key: value for key, value in handler(self).items() if key != "part" or value}


class Request(_Record):
    """All that decides the bytes of a data set; written first, so that an interrupted run knows
    what to resume.
    """

    worlds: tuple[WorldName, ...] = Field(min_length=1)
    specs_sha256: dict[str, str] = Field(
        description="hash of each world's spec: data of an older spec are another request's"
    )
    n_samples: int = Field(
        ge=MIN_DRAWS, description="accepted draws of each world that `samples` does not name"
    )
    samples: dict[WorldName, Annotated[int, Field(ge=MIN_DRAWS)]] = Field(
        default={}, description="accepted draws of the worlds that have another number of them"
    )
    seed: int = Field(ge=0)
    horizon: int = Field(default=DEFAULT_HORIZON, ge=1)
    periods: int = Field(
        default=200, ge=0, description="length T of the simulated trajectories; 0 stores none"
    )
    chunk: int = Field(default=512, ge=1)
    shard: int = Field(default=2048, ge=1)
    shards: dict[WorldName, int] = Field(
        default={}, description="rows of a shard in worlds whose tasks must be smaller than `shard`"
    )
    verdicts: int = Field(
        default=0,
        ge=0,
        description=(
            "draws of the prior that are judged apart, at most; none in data sets older than the"
            " field"
        ),
    )
    sources: dict[WorldName, Source] = Field(
        default={}, description="texts of the worlds that were named by the path of a .mod file"
    )
    imported: dict[WorldName, Imported] = Field(
        default={}, description="worlds without a solver here, whose draws were solved elsewhere"
    )
    until: dict[WorldName, Until] = Field(
        default={}, description="worlds drawn until an emulator of the draws was good enough"
    )
    groups: dict[WorldName, Group] = Field(
        default={}, description="worlds whose draws come in groups, which splits keep together"
    )
    settings: dict[WorldName, dict[str, float]] = Field(
        default={},
        description=(
            "settings that worlds are solved with, such as a grid; data sets older than the field"
            " were solved with `World.settings_before`"
        ),
    )
    regimes: dict[WorldName, str] = Field(
        default={},
        description="worlds whose draws have a regime, which is stored, and what its number counts",
    )
    hard: dict[WorldName, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description=(
            "draws beyond `n_samples`, for training alone, that were chosen where responses are"
            " large or bend most; the last rows of a world"
        ),
    )
    fractions: Fractions = Fractions()
    format_version: Literal[1] = 1
    made_by: str

    @model_validator(mode="after")
    def _consistent(self) -> Request:
        if len(set(self.worlds)) != len(self.worlds):
            raise ValueError("a world is named twice")
        if self.shard % self.chunk:
            raise ValueError(f"shard ({self.shard}) must be a multiple of chunk ({self.chunk})")
        for world, n in self.samples.items():
            if world not in self.worlds:
                raise ValueError(
                    f"samples: {n} draws of '{world}' are asked for, which is not among the worlds"
                    f" {', '.join(self.worlds)}"
                )
            if n == self.n_samples:
                raise ValueError(
                    f"samples: {n} draws of '{world}' are no exception to n_samples"
                    f" ({self.n_samples})"
                )
        for world in self.hard:
            if world in self.groups or world in self.imported or world in self.until:
                raise ValueError(
                    f"hard: draws of '{world}' cannot be chosen, since they come in groups, or came"
                    " from elsewhere"
                )
        for field in ("groups", "settings", "regimes", "hard"):
            for world in getattr(self, field):
                if world not in self.worlds:
                    raise ValueError(f"{field}: '{world}' is not among the worlds")
        for world, rows in self.shards.items():
            if (
                world not in self.worlds
                or rows != shard_size(rows, self.shard, self.chunk)
                or rows == self.shard
            ):
                raise ValueError(
                    f"shards: {rows} rows for '{world}' do not fit shard ({self.shard}) and chunk"
                    f" ({self.chunk})"
                )
        return self

    def world(self, name: str) -> World:
        """A world of this request, with its settings: made again from its texts, or the one of this
        package.

        Raises `UnknownNameError`, and `DatasetError` for one that was solved elsewhere.
        """
        if name in self.imported and self.imported[name].origin != BEFORE_UNTIL:
            raise DatasetError(
                f"The draws of '{name}' come from {self.imported[name].origin}: it has no solver"
                " here, so that no draw can be solved again and none added."
            )
        world = from_source(self.sources[name]) if name in self.sources else get_world(name)
        return world.with_settings({**world.settings_before, **self.settings.get(name, {})})

    def plain_size(self, world: str) -> int:
        """Accepted draws of a world's prior: its first rows."""
        return self.samples.get(world, self.n_samples)

    def size(self, world: str) -> int:
        """Rows of a world's arrays: accepted draws of its prior, then hard ones."""
        return self.plain_size(world) + self.hard.get(world, 0)

    def group_size(self, world: str) -> int:
        """Draws in a row that have the dear parameters of a world in common."""
        return self.groups[world].draws if world in self.groups else 1

    def given(self, world: str) -> Imported | Until | None:
        """Where the draws of a world come from that did not come from a random stream of each
        shard; None for those that did. Their regions and verdicts are those of the draws.
        """
        return self.imported.get(world) or self.until.get(world)

    def part(self, world: str) -> Part | None:
        """The dear part that is stored for each group of a world, None where there is none."""
        return self.groups[world].part if world in self.groups else None

    def n_verdicts(self, world: str) -> int:
        """Draws of a world's prior that are judged apart; fewer where draws cost much."""
        given = self.given(world)
        if given is not None:
            return min(self.verdicts, given.draws) if given.failed else 0
        affordable = VERDICT_TASKS * self.shards[world] if world in self.shards else self.verdicts
        return min(self.verdicts, self.plain_size(world), affordable)

    @property
    def remedy(self) -> str:
        """What makes a damaged data set whole, as a sentence."""
        if self.imported:
            return "Import the draws again, with --overwrite."
        if self.until:
            return "Run the command of its card again, with --overwrite: it draws them anew."
        return "Run the generate command again: it remakes damaged files."

    def shard_rows(self, world: str) -> int:
        """Rows of a shard of a world."""
        return self.shards.get(world, self.shard)

    def chunk_rows(self, world: str) -> int:
        """Rows of a chunk of a world."""
        return min(self.chunk, self.shard_rows(world))

    def n_shards(self, world: str) -> int:
        return math.ceil(self.size(world) / self.shard_rows(world))

    def rows(self, world: str, shard: int) -> tuple[int, int]:
        """First row and one past the last row of a shard."""
        size = self.shard_rows(world)
        return shard * size, min((shard + 1) * size, self.size(world))


def shard_size(limit: int, shard: int, chunk: int) -> int:
    """Rows of a shard of at most `limit` rows: whole chunks, or one chunk that is smaller."""
    size = min(limit, shard)
    return size if size < chunk else size - size % chunk


class ShardRecord(_Record):
    """A finished shard: its rows, what was refused on the way to them, and the SHA-256 of each
    file.
    """

    index: int
    start: int
    stop: int
    rejections: dict[str, int]
    sha256: dict[str, str]


class Condition(_Record):
    parameter: str
    at_least: float


class Region(_Record):
    """Draws for which every condition holds."""

    all_of: tuple[Condition, ...]


class WorldManifest(_Record):
    """What a data set knows of one world."""

    spec: WorldSpec
    rejections: dict[str, int]
    regions: dict[str, Region]
    shards: tuple[ShardRecord, ...]
    metadata_sha256: dict[str, str]
    splits_sha256: str


class Manifest(_Record):
    """The root of a data set, written last: where it is, the data set is complete."""

    request: Request
    worlds: dict[str, WorldManifest]
    versions: dict[str, str]
    commit: str

    @model_validator(mode="after")
    def _worlds_of_the_request(self) -> Manifest:
        if set(self.worlds) != set(self.request.worlds) or any(
            name != entry.spec.name for name, entry in self.worlds.items()
        ):
            raise ValueError("the worlds of the manifest are not those of its request")
        return self

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the data are (request, specs, regions, checksums of every file), not
        of what made them.
        """
        return fingerprint(self.model_dump(mode="json"))

    def dump(self) -> dict[str, Any]:
        """The manifest as it is written: with its own fingerprint, so that an altered one is
        known.
        """
        return {**self.model_dump(mode="json"), "fingerprint": self.fingerprint}


def fingerprint(manifest: dict[str, Any]) -> str:
    """Names the data of a manifest in its written form; see `Manifest.fingerprint`."""
    content = {
        key: value
        for key, value in manifest.items()
        if key not in ("versions", "commit", "fingerprint")
    }
    content["request"] = {
        key: value for key, value in content["request"].items() if key != "made_by"
    }
    for added in (
        "shards",
        "sources",
        "samples",
        "verdicts",
        "imported",
        "until",
        "groups",
        "settings",
        "regimes",
        "hard",
    ):  # as in data sets older than the field, which hold the same numbers
        if not content["request"].get(added):
            content["request"].pop(added, None)
    return sha256(json.dumps(content, sort_keys=True).encode())
