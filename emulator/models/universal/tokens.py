"""What a network is told of a parameter or a shock before it sees a number: features of its name and role.

The features are fixed, so that a world that was never seen is described in the same terms as those that were.
Axes: F feature.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor

from emulator.errors import ModelError
from emulator.spec import Role, WorldSpec

ROLES: tuple[str, ...] = get_args(Role)
HASHED = 96
"""Features among which the pieces of a name are hashed."""

PARAMETER_FEATURES = HASHED + len(ROLES)
SHOCK_FEATURES = HASHED
UNNAMED = "?"


@dataclass(frozen=True)
class Description:
    """A world as a network knows it: names and roles of its parameters, names of its shocks, whether it is linear."""

    parameters: tuple[str, ...]
    roles: tuple[str, ...]
    shocks: tuple[str, ...]
    linear: bool

    @classmethod
    def of(cls, spec: WorldSpec) -> Description:
        return cls(spec.parameter_names, tuple(p.role for p in spec.parameters), spec.shock_names, spec.linear)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Description:
        """From the plain values of `plain`. Raises `ModelError` if they describe no world."""
        try:
            found = cls(tuple(plain["parameters"]), tuple(plain["roles"]), tuple(plain["shocks"]), bool(plain["linear"]))
        except (KeyError, TypeError) as error:
            raise ModelError(f"A world is described by parameters, roles, shocks and linear; found {plain!r} ({error!r}).") from None
        if len(found.parameters) != len(found.roles) or not found.parameters or not found.shocks:
            raise ModelError(f"A world needs a role for each parameter, and shocks; found {plain!r}.")
        return found

    def plain(self) -> dict[str, Any]:
        """As lists and texts, as a checkpoint keeps it."""
        return {"parameters": list(self.parameters), "roles": list(self.roles), "shocks": list(self.shocks), "linear": self.linear}

    @property
    def sizes(self) -> tuple[int, ...]:
        """For each shock the position in theta of its standard deviation; empty where responses are not linear in it.

        The k-th parameter of role "shock_size" is the size of the k-th shock, where there are as many of the one as
        of the other; `emulator.worlds.check` holds every linear world to that.
        """
        found = tuple(k for k, role in enumerate(self.roles) if role == "shock_size")
        return found if self.linear and len(found) == len(self.shocks) else ()


def parameter_features(name: str, role: str) -> Tensor:
    """Features (F,) of a parameter: the pieces of its name, hashed, and its role."""
    of_role = torch.zeros(len(ROLES))
    if role in ROLES:
        of_role[ROLES.index(role)] = 1.0
    return torch.cat([name_features(name), of_role])


def name_features(name: str) -> Tensor:
    """Features (HASHED,) of unit length: the name, its words and their letters by threes, each hashed to a place and a sign.

    Feature hashing: Weinberger et al. (2009), doi:10.1145/1553374.1553516.
    """
    found = torch.zeros(HASHED)
    for piece in pieces(name):
        digest = hashlib.sha256(piece.encode()).digest()
        found[int.from_bytes(digest[:4], "big") % HASHED] += 1.0 if digest[4] % 2 else -1.0
    return found / found.norm().clamp_min(1.0)


def pieces(name: str) -> Sequence[str]:
    """'phi_pi' -> the name, its words phi and pi, and the letters of each by threes."""
    if name == UNNAMED:
        return []
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    padded = [f"<{word}>" for word in words]
    triples = [word[k : k + 3] for word in padded for k in range(max(1, len(word) - 2))]
    return [f"name:{name.lower()}", *(f"word:{word}" for word in words), *(f"letters:{triple}" for triple in triples)]
