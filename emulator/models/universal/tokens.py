"""What a network is told of a parameter or a shock before it sees a number: features of its name
and role.

The features are fixed, so that a world that was never seen is described in the same terms as those
that were. Axes: F feature.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import torch
from torch import Tensor

from emulator.errors import ModelError
from emulator.models.normaliser import WorldStatistics
from emulator.spec import Role, WorldSpec

ROLES: tuple[str, ...] = get_args(Role)
HASHED = 96
"""Features among which the pieces of a name are hashed."""

PARAMETER_FEATURES = HASHED + len(ROLES)
SHOCK_FEATURES = HASHED
UNNAMED = "?"

MOST_OWN = 2
"""Parameters of a shock's own process that the shared weights provide for: an autoregression and a
moving average. More are taken for common ones.
"""

UNSAID = ("output", "inflation", "rate")
"""Observables of a world whose description names none: those of every network of before."""


@dataclass(frozen=True)
class Description:
    """A world as a network knows it: names and roles of its parameters, names of its shocks and
    observables, and which parameters are a shock's own.

    sizes: for each shock the position of its size, or nothing; own: for each shock positions of the
    other parameters of its process.
    """

    parameters: tuple[str, ...]
    roles: tuple[str, ...]
    shocks: tuple[str, ...]
    sizes: tuple[int, ...]
    own: tuple[tuple[int, ...], ...]
    observables: tuple[str, ...] = UNSAID

    @classmethod
    def of(cls, spec: WorldSpec) -> Description:
        return cls(
            spec.parameter_names,
            tuple(p.role for p in spec.parameters),
            spec.shock_names,
            spec.shock_sizes,
            spec.shock_parameters,
            spec.observable_names,
        )

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Description:
        """From the plain values of `plain`. Raises `ModelError` if they describe no world."""
        try:
            parameters, roles, shocks = (
                tuple(str(name) for name in plain[key]) for key in ("parameters", "roles", "shocks")
            )
            description = cls(
                parameters,
                roles,
                shocks,
                tuple(map(int, plain["sizes"])),
                tuple(tuple(map(int, own)) for own in plain["own"]),
                tuple(str(name) for name in plain.get("observables", UNSAID)),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"A world is described by parameters, roles, shocks, sizes and own; found {plain!r}"
                f" ({error!r})."
            ) from None
        taken = [*description.sizes, *(p for own in description.own for p in own)]
        fits = (
            len(description.parameters) == len(description.roles)
            and len(description.own) == len(description.shocks)
            and len(description.sizes) in (0, len(description.shocks))
        )
        if not (
            fits
            and description.parameters
            and description.shocks
            and description.observables
            and len(set(description.observables)) == len(description.observables)
            and len(set(taken)) == len(taken)
            and set(taken) <= set(range(len(description.parameters)))
        ):
            raise ModelError(
                "A world needs a role for each parameter, shocks, a size for each of them or none,"
                f" no parameter taken twice and observables, each named once; found {plain!r}."
            )
        return description

    def plain(self) -> dict[str, Any]:
        """As lists and texts, as a checkpoint keeps it."""
        values = {
            key: list(getattr(self, key)) for key in ("parameters", "roles", "shocks", "sizes")
        }
        values["own"] = [list(own) for own in self.own]
        return (
            values
            if self.observables == UNSAID
            else values | {"observables": list(self.observables)}
        )

    def known(self, own_parameters: bool, shock_sizes: bool) -> Description:
        """What a network is told: whether parameters are those of one shock alone, of which it
        provides for `MOST_OWN`, and whether they are sizes.
        """
        nothing = ((),) * len(self.shocks)
        own = tuple(of_shock[:MOST_OWN] for of_shock in self.own) if own_parameters else nothing
        return replace(self, own=own) if shock_sizes else replace(self, sizes=(), own=nothing)

    @property
    def common(self) -> tuple[int, ...]:
        """Positions of the parameters that all shocks share."""
        taken = {*self.sizes, *(p for own in self.own for p in own)}
        return tuple(p for p in range(len(self.parameters)) if p not in taken)

    def without_sizes(self, theta: Tensor, moments: WorldStatistics) -> Tensor:
        """Draws (B, P) whose sizes of shocks stand at their means in training, but for those above
        the largest there: responses are in proportion to them, while the band's width is learnt.
        """
        sizes = list(self.sizes)
        mean, high = (edge[sizes].to(theta) for edge in (moments.theta_mean, moments.theta_high))
        placed = theta.clone()
        placed[:, sizes] = torch.where(theta[:, sizes] <= high, mean, theta[:, sizes])
        return placed


def parameter_features(name: str, role: str) -> Tensor:
    """Features (F,) of a parameter: the pieces of its name, hashed, and its role."""
    of_role = torch.zeros(len(ROLES))
    if role in ROLES:
        of_role[ROLES.index(role)] = 1.0
    return torch.cat([name_features(name), of_role])


def name_features(name: str) -> Tensor:
    """Features (HASHED,) of unit length: the name, its words and their letters by threes, each
    hashed to a place and a sign.

    Feature hashing: Weinberger et al. (2009), doi:10.1145/1553374.1553516.
    """
    features_F = torch.zeros(HASHED)
    for piece in pieces(name):
        digest = hashlib.sha256(piece.encode()).digest()
        features_F[int.from_bytes(digest[:4], "big") % HASHED] += 1.0 if digest[4] % 2 else -1.0
    return features_F / features_F.norm().clamp_min(1.0)


def pieces(name: str) -> Sequence[str]:
    """'phi_pi' -> the name, its words phi and pi, and the letters of each by threes."""
    if name == UNNAMED:
        return []
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    padded = [f"<{word}>" for word in words]
    triples = [word[k : k + 3] for word in padded for k in range(max(1, len(word) - 2))]
    return [
        f"name:{name.lower()}",
        *(f"word:{word}" for word in words),
        *(f"letters:{triple}" for triple in triples),
    ]
