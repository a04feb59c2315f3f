"""Reading a finished data set."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
import zarr
from pydantic import ValidationError

from emulator.data.folders import open_folder
from emulator.data.layout import PART
from emulator.data.schema import HARD, SPLITS, Manifest, WorldManifest
from emulator.data.shards import checksums, first_of_groups
from emulator.data.splits import groups_of, read_splits, splits_name
from emulator.data.storage import Folder
from emulator.data.verdicts import VERDICTS_FILE, read_verdicts
from emulator.errors import DatasetError, UnknownNameError, first_error, unknown_name
from emulator.spec import WorldSpec
from emulator.worlds import World, get_world, is_path, is_python

REQUEST, MANIFEST = "request.json", "manifest.json"


def open_dataset(path: str | Path | Folder) -> DataSet:
    """Open a finished data set on a path or an fsspec URL.

    Raises `DatasetError` if it is missing, unfinished or its manifest cannot be read.
    """
    folder = open_folder(path)
    try:
        content = folder.read_bytes(MANIFEST)
    except (FileNotFoundError, NotADirectoryError):
        state = "is not finished" if folder.exists(REQUEST) else "does not exist or is no data set"
        raise DatasetError(
            f"{folder} {state}: {folder.at(MANIFEST)} is missing. Make it with: emulator generate"
            f" --output {folder} (an interrupted run resumes), or of draws that were solved"
            " elsewhere: emulator import."
        ) from None
    advice = (
        "The file was altered or made by another version; `emulator generate` makes the data set"
        " anew."
    )
    try:
        written = json.loads(content)
        named = written.pop("fingerprint")
        manifest = Manifest.model_validate(written)
    except ValidationError as error:
        raise DatasetError(
            f"{folder.at(MANIFEST)} cannot be read: {first_error(error)}. {advice}"
        ) from None
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise DatasetError(f"{folder.at(MANIFEST)} cannot be read: {error!r}. {advice}") from None
    if manifest.fingerprint != named:
        raise DatasetError(f"{folder.at(MANIFEST)} does not fit its own fingerprint. {advice}")
    return DataSet(folder, manifest)


class Parts(NamedTuple):
    """Dear parts (G, D) float32 of some draws, and the part (n,) that each draw has."""

    values: np.ndarray
    group: np.ndarray


class DataSet:
    """A finished data set: specs, splits and arrays of its worlds.

    `fingerprint` names the data: the same request that gave the same bytes has the same one,
    whichever commit made them.
    """

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.fingerprint = manifest.fingerprint
        self._names: tuple[str, ...] | None = None
        self._splits: dict[str, dict[str, np.ndarray]] = {}
        self._verified: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return (
            f"DataSet '{self.path}': {', '.join(self.worlds)}, horizons 0 to {self.horizon},"
            f" fingerprint {self.fingerprint[:16]}"
        )

    @property
    def path(self) -> Path | str:
        """Where the data lie: a path, or the text of an fsspec URL."""
        return self.folder.place

    @cached_property
    def worlds(self) -> list[str]:
        return list(self.manifest.request.worlds)

    @property
    def horizon(self) -> int:
        """Last horizon H of the responses; they hold H + 1 periods."""
        return self.manifest.request.horizon

    def world(self, name: str) -> WorldManifest:
        """What the manifest says of a world. Raises `UnknownNameError`."""
        if name not in self.manifest.worlds:
            raise unknown_name(f"world in {self.folder}", name, self.worlds)
        return self.manifest.worlds[name]

    def name_of(self, world: str) -> str:
        """The name under which a world, given by name or by the path of its `.mod` file, is kept
        here.

        Raises `UnknownNameError` if it is not, and for a Python file: it would be run, and the name
        may be a checkpoint's or a configuration's. Raises `DatasetError` if the file has changed
        since the data were made.
        """
        if is_python(world):
            raise UnknownNameError(
                f"'{world}' is a Python file, and nothing of it is needed here; name the world as"
                f" {self.folder} does: {', '.join(self.worlds)}."
            )
        return (
            self.name_of_same(get_world(world)) if is_path(world) else self.world(world).spec.name
        )

    def name_of_same(self, world: World) -> str:
        """The name of an opened world, which is kept here. Raises as `name_of` does."""
        spec = world.spec
        if self.world(spec.name).spec.definition != spec.definition:
            raise DatasetError(
                f"The file of world '{spec.name}', or its mapping, has changed since {self.folder}"
                f" was made of it. Generate the data anew, or name the world '{spec.name}'."
            )
        return spec.name

    def spec(self, world: str) -> WorldSpec:
        """The world's spec as it was when the data were made, of the observables that are read."""
        spec = self.world(world).spec
        return spec if self._names is None else spec.observing(self._names)

    def observing(self, names: Sequence[str]) -> DataSet:
        """The same data, of which these observables alone are read, in this order; names: each of
        every world that is read (`UnknownNameError` where it is).
        """
        fewer = copy.copy(self)
        fewer._names = tuple(names)
        return fewer

    def observed(self, world: str) -> list[int] | None:
        """Which of the stored observables of a world are read, in their order; None for all."""
        if self._names is None:
            return None
        stored = self.world(world).spec
        return [stored.observable_index(name) for name in self.spec(world).observable_names]

    def splits(self, world: str) -> dict[str, np.ndarray]:
        """Sorted row indices of each split.

        Raises `DatasetError` if the file is missing or altered.
        """
        entry = self.world(world)
        if world not in self._splits:
            splits = read_splits(self.folder, world)
            if self.folder.sha256(splits_name(world)) != entry.splits_sha256:
                raise DatasetError(
                    f"{self.folder.at(splits_name(world))} was altered: its SHA-256 is not the"
                    " manifest's. `emulator validate` tells more."
                )
            self._splits[world] = splits
        return self._splits[world]

    def rows(self, world: str, split: str) -> np.ndarray:
        """Sorted rows of a split; of hard draws there may be none. Raises `UnknownNameError` for a
        split that does not exist.
        """
        if split == HARD:
            return self.splits(world).get(HARD, np.empty(0, dtype=np.int64))
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        return self.splits(world)[split]

    def group(self, world: str) -> zarr.Group:
        """The world's Zarr group, read only."""
        self.world(world)
        try:
            return zarr.open_group(self.folder.store(world), mode="r")
        except (FileNotFoundError, ValueError) as error:
            raise DatasetError(
                f"The Zarr group {self.folder.at(world)} cannot be opened: {error}"
            ) from None

    def xarray(self, world: str) -> xr.Dataset:
        """The world's arrays with named axes, coordinates and units, read lazily."""
        self.world(world)
        return xr.open_zarr(self.folder.store(world), chunks=None)

    def verify(self, world: str, arrays: tuple[str, ...] = ("theta", "irfs")) -> None:
        """Compare the world's metadata and the arrays' files with the checksums of the manifest,
        once.

        Raises `DatasetError` on any difference.
        """
        if (world, "") not in self._verified:
            for name, expected in self.world(world).metadata_sha256.items():
                file = f"{world}/{name}"
                if not self.folder.exists(file) or self.folder.sha256(file) != expected:
                    raise DatasetError(
                        f"{self.folder.at(file)} is missing or was altered."
                        f" {self.manifest.request.remedy}"
                    )
            self._verified.add((world, ""))
        for name in arrays:
            if (world, name) in self._verified:
                continue
            for record in self.world(world).shards:
                if checksums(self.folder, world, [name], record.index)[name] != record.sha256.get(
                    name
                ):
                    raise DatasetError(
                        f"{self.folder.at(world)}: shard {record.index} of '{name}' was altered"
                        " (its SHA-256 is not the manifest's)."
                        f" {self.manifest.request.remedy}"
                    )
            self._verified.add((world, name))

    def read(self, world: str, split: str) -> tuple[np.ndarray, np.ndarray]:
        """theta (n, P) and irfs (n, S, H+1, O) of a split, float32, checksums verified.

        Units as in `docs/conventions.md`.
        """
        rows = self.rows(world, split)
        self.verify(world)
        theta, irfs = (self._rows_of(world, name, rows) for name in ("theta", "irfs"))
        if not (np.isfinite(theta).all() and np.isfinite(irfs).all()):
            raise DatasetError(
                f"{self.folder.at(world)}: split '{split}' holds values that are not finite; see"
                " `emulator validate`."
            )
        observed = self.observed(world)
        return theta, irfs if observed is None else irfs[..., observed]

    def parts(self, world: str, rows: np.ndarray) -> Parts:
        """The dear parts of the groups of sorted rows, checksums verified.

        Raises `DatasetError` for a world of which no parts are stored.
        """
        if self.manifest.request.part(world) is None:
            raise DatasetError(
                f"{self.folder} holds no dear parts of '{world}': they are stored with draws that"
                " come in groups (--draws-per-group), of worlds that close their part by arrays."
            )
        self.verify(world, ("theta", PART))
        spec, request = self.spec(world), self.manifest.request
        theta = self.theta(world)
        stored: Any = self.group(world)[PART]
        values, group, n_groups = [], np.empty(len(rows), dtype=np.int64), 0
        for record in self.world(world).shards:
            first, last = np.searchsorted(rows, [record.start, record.stop])
            if first == last:
                continue
            shard = theta[record.start : record.stop]
            owners = first_of_groups(request, spec, shard)
            of_row: Any = groups_of(spec, request.groups[world], shard)
            used, own = np.unique(of_row[rows[first:last] - record.start], return_inverse=True)
            owner_of = {of_row[owner]: owner for owner in owners}
            values.append(stored.oindex[[record.start + owner_of[number] for number in used]])
            group[first:last] = n_groups + own
            n_groups += len(used)
        size = request.groups[world].part.size  # type: ignore[union-attr]
        return Parts(np.concatenate([np.empty((0, size), np.float32), *values]), group)

    def theta(self, world: str) -> np.ndarray:
        """All draws of a world, theta (n, P) float32, each in its parameter's unit, unverified."""
        array: Any = self.group(world)["theta"]
        return np.asarray(array[:])

    def regime(self, world: str, split: str) -> np.ndarray:
        """The regime (n,) int of each draw of a split, checksums verified; the request's `regimes`
        says what its number counts.

        Raises `DatasetError` where none is stored: draws of the world have none, were imported, or
        are of a data set older than regimes.
        """
        if world not in self.manifest.request.regimes:
            raise DatasetError(
                f"{self.folder} holds no regimes of world '{world}': the world has none, or the"
                " data are imported or older than regimes. Generate them anew, in another folder,"
                " to have them."
            )
        self.verify(world, ("regime",))
        return self._rows_of(world, "regime", self.rows(world, split)).astype(int)

    def verdicts(self, world: str) -> tuple[np.ndarray, np.ndarray]:
        """Draws of the prior before any is refused: theta (m, P) float32, each in its parameter's
        unit, and the `Status` of each, (m,) uint8.

        None of them is a row of the data set; but where the draws were imported, or drawn until an
        emulator was good enough, they are the draws, rows among them. Raises `DatasetError` if the
        file is altered, or the data set holds none.
        """
        if VERDICTS_FILE not in self.world(world).metadata_sha256:
            if self.manifest.request.given(world) is not None:
                how = "drawn" if world in self.manifest.request.until else "imported"
                raise DatasetError(
                    f"World '{world}' in {self.folder} was {how} without a draw that failed, so"
                    " that nothing says where there is no solution."
                )
            raise DatasetError(
                f"{self.folder} holds no verdicts of world '{world}': it was made with --verdicts"
                " 0, or by a version that stored none. Generate the data anew, in another folder,"
                " to have them."
            )
        self.verify(world, ())
        return read_verdicts(self.folder, world)

    def _rows_of(self, world: str, name: str, rows: np.ndarray) -> np.ndarray:
        """Sorted rows of an array, shard by shard, so that no more than they and one shard are in
        memory.
        """
        array: Any = self.group(world)[name]
        values = np.empty((len(rows), *array.shape[1:]), dtype=array.dtype)
        for record in self.world(world).shards:
            first, last = np.searchsorted(rows, [record.start, record.stop])
            if first < last:
                shard = np.asarray(array[record.start : record.stop])
                values[first:last] = shard[rows[first:last] - record.start]
        return values
