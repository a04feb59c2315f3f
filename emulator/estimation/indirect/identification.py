"""How a shock is identified in a vector autoregression: by the order of the variables, by an
instrument, by signs.

Each way makes responses of a reduced form, whether that was estimated from data or follows from a
world's own autocovariances. So a world's data can be treated as the data were.

Axes: R replication or draw, T quarter, V variable, L lag, H horizon, Q rotation, K shock of a
basis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from emulator.estimation.indirect.autoregression import recursive_responses, responses_to

BLOCK = 128
"""Reduced forms whose rotations are in memory at once."""

ROTATIONS = 1000
"""Directions of the shock that are tried, with both signs of each; the same for all reduced
forms.
"""


class Reduced(NamedTuple):
    """Coefficients (R, 1 + L V, V), constant first, covariance (R, V, V) of the innovations, lags;
    with_instrument (R, V): the innovations' covariance with an instrument, where there is one.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    lags: int
    with_instrument: np.ndarray | None = None

    def at(self, rows: Any) -> Reduced:
        """Some of the reduced forms."""
        instrument = self.with_instrument
        return Reduced(
            self.coefficients[rows],
            self.covariance[rows],
            self.lags,
            None if instrument is None else instrument[rows],
        )

    def responses(self, impact: np.ndarray, horizon: int) -> np.ndarray:
        """(R, H+1, V) to what moves the variables by `impact` (R, V) at first."""
        return responses_to(self.coefficients, impact, self.lags, horizon)


class Identification(ABC):
    """`place` is the variable whose shock is asked for: a positive one raises it on impact."""

    kind: ClassVar[str]
    place: int

    @abstractmethod
    def responses(self, reduced: Reduced, horizon: int, summed: Sequence[bool]) -> np.ndarray:
        """Responses (R, H+1, V) of the variables to the shock; NaN where it is not identified.

        summed: which variables (V,) are differences, whose responses are summed up.
        """

    @property
    @abstractmethod
    def words(self) -> str:
        """What it does, as a target's source says it."""

    @property
    def zeros(self) -> int:
        """How many variables, the first ones, do not move on impact by assumption."""
        return 0


@dataclass(frozen=True)
class Recursive(Identification):
    """The shock moves its variable and those ordered after it on impact, by one standard
    deviation.
    """

    place: int
    kind: ClassVar[str] = "recursive"

    def responses(self, reduced: Reduced, horizon: int, summed: Sequence[bool]) -> np.ndarray:
        return recursive_responses(
            reduced.coefficients, reduced.covariance, reduced.lags, self.place, horizon
        )

    @property
    def words(self) -> str:
        return "recursive in this order"

    @property
    def zeros(self) -> int:
        return self.place


@dataclass(frozen=True)
class Instrument(Identification):
    """The shock is what an instrument, or proxy, is correlated with: among the structural shocks it
    is with this one alone. Impact is in proportion to the covariance of innovations u with the
    instrument z, of one standard deviation:

        impact = cov(u, z) / sqrt(cov(u, z)' cov(u)^-1 cov(u, z))

    Stock (2008, NBER What's new in econometrics); Mertens and Ravn (2013, doi:10.1257/aer.103.4.
    1212). F: statistic of the first stage.
    """

    place: int
    name: str
    F: float = np.inf
    kind: ClassVar[str] = "instrument"

    def responses(self, reduced: Reduced, horizon: int, summed: Sequence[bool]) -> np.ndarray:
        direction = reduced.with_instrument
        assert direction is not None
        size = _strength(direction, reduced.covariance)
        sign = np.sign(direction[:, self.place])
        with np.errstate(all="ignore"):
            impact = direction * (sign / np.sqrt(size))[:, None]
        return reduced.responses(impact, horizon)

    @property
    def words(self) -> str:
        return f"identified by the instrument {self.name} (F {self.F:.1f} in the first stage)"


def _strength(direction: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """`d' S^-1 d` (R,) of d (R, V), S (R, V, V)."""
    return np.asarray(
        (direction * np.linalg.solve(covariance, direction[:, :, None])[..., 0]).sum(1)
    )


def covariance_with(residuals: np.ndarray, instrument: np.ndarray) -> np.ndarray:
    """Covariances (R, V) of residuals (R, T, V) with an instrument (R, T), over the periods where
    that is there.
    """
    there = np.isfinite(instrument)
    count = there.sum(axis=1, keepdims=True)
    z = np.where(there, instrument, 0.0)
    z = np.where(there, z - z.sum(axis=1, keepdims=True) / count, 0.0)
    return np.asarray((z[:, None] @ residuals)[:, 0] / count)


def instrument_of(residuals: np.ndarray, values: np.ndarray, place: int, name: str) -> Instrument:
    """The identification by an instrument (T,), with the F statistic of the regression of the
    residuals (T, V) of its variable on it.
    """
    there = np.isfinite(values)
    r2 = float(np.corrcoef(residuals[there, place], values[there])[0, 1] ** 2)
    return Instrument(place, name, (int(there.sum()) - 2) * r2 / max(1 - r2, 1e-12))


class Restriction(NamedTuple):
    """The response of a variable is above zero (sign 1) or below (-1) at horizons first to last."""

    variable: int
    sign: int
    first: int
    last: int


@dataclass(frozen=True)
class Signs(Identification):
    """The shocks of one standard deviation whose responses have the given signs: a set of them, all
    directions in it as likely as each other. The response is the mean over the set.

    Uhlig (2005, doi:10.1016/j.jmoneco.2004.05.007); Rubio-Ramírez, Waggoner and Zha (2010,
    doi:10.1111/j.1467-937X.2009.00578.x). Each reduced form counts once, whatever the share of
    directions that it allows: signs say nothing of the reduced form.
    """

    place: int
    restrictions: tuple[Restriction, ...]
    rotations: int = ROTATIONS
    kind: ClassVar[str] = "signs"

    def responses(self, reduced: Reduced, horizon: int, summed: Sequence[bool]) -> np.ndarray:
        factor, mean, _ = self._accepted(reduced, summed)
        return reduced.responses((factor @ mean[:, :, None])[..., 0], horizon)

    def spread(self, reduced: Reduced, horizon: int, summed: Sequence[bool]) -> np.ndarray:
        """Responses (R, K, H+1, V) whose squares add up over K to the covariance of responses
        within each reduced form's set.
        """
        factor, mean, second = self._accepted(reduced, summed)
        values, vectors = np.linalg.eigh(second - mean[:, :, None] * mean[:, None, :])
        roots = factor @ (vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :])
        return np.stack(
            [reduced.responses(roots[:, :, k], horizon) for k in range(roots.shape[2])], axis=1
        )

    def _accepted(
        self, reduced: Reduced, summed: Sequence[bool]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cholesky's factor (R, V, V), and mean (R, V) and second moments (R, V, V) of the
        directions that have the signs; NaN where none has.
        """
        factor = np.linalg.cholesky(reduced.covariance)
        size = factor.shape[1]
        directions = np.random.default_rng(size).normal(size=(self.rotations, size))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        means, seconds = np.full(factor.shape[:2], np.nan), np.full(factor.shape, np.nan)
        for start in range(0, len(factor), BLOCK):
            rows = slice(start, start + BLOCK)
            bounds = self._bounds(reduced.at(rows), factor[rows], summed)
            values = bounds @ directions.T
            weight = (values > 0).all(axis=1).astype(float) - (values < 0).all(axis=1)
            count = np.abs(weight).sum(axis=1)
            with np.errstate(invalid="ignore"):
                means[rows] = weight @ directions / count[:, None]
                pairs = (directions[:, :, None] * directions[:, None, :]).reshape(
                    len(directions), -1
                )
                seconds[rows] = (np.abs(weight) @ pairs / count[:, None]).reshape(-1, size, size)
        return factor, means, seconds

    def _bounds(self, reduced: Reduced, factor: np.ndarray, summed: Sequence[bool]) -> np.ndarray:
        """(R, N, K): what must be positive of each direction, a row a restricted response."""
        last = max(restriction.last for restriction in self.restrictions)
        basis = np.stack(
            [reduced.responses(factor[:, :, k], last) for k in range(factor.shape[2])], axis=3
        )
        rows = []
        for variable, sign, first, end in self.restrictions:
            path = basis[:, :, variable]
            path = path.cumsum(axis=1) if summed[variable] else path
            rows.append(sign * path[:, first : end + 1])
        return np.concatenate(rows, axis=1)

    @property
    def words(self) -> str:
        return f"identified by signs of {len(self.restrictions)} responses"


KINDS: Mapping[str, type[Identification]] = {
    kind.kind: kind for kind in (Recursive, Instrument, Signs)
}


def as_document(identification: Identification) -> dict[str, Any]:
    """As JSON takes it."""
    return {"kind": identification.kind, **asdict(identification)}  # type: ignore[call-overload]


def from_document(document: Mapping[str, Any]) -> Identification:
    """Raises `ValueError`, `KeyError` or `TypeError` for what is none."""
    values = dict(document)
    kind = values.pop("kind")
    if "restrictions" in values:
        values["restrictions"] = tuple(
            Restriction(*map(int, row)) for row in values["restrictions"]
        )
    return KINDS[kind](**values)
