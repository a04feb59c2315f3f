"""A new world starts as a copy of its nearest relative among the worlds that a network has learnt.

What the shared weights say of a world that they were not trained on is no better than chance, and
often far worse: it is taken back (`forget`). The relative is the known world whose parameters and
shocks are most alike in name and role. Its parameters as standard scores follow from the new
world's by a linear map,

    z_old = T z_new + c,    theta_old = M theta_new where names agree, and the mean of theta_old
                            elsewhere,

so its folded weights become weights on the new world's parameters, and the new world's own
corrections make up the difference to what it has (`inherit`). Where the new world is a special case
of the old one (`nk` of `switching`) it starts nearly right. Axes: P parameter of the new world, Q
parameter of the relative, S shock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from emulator.errors import ModelError
from emulator.models.universal.folding import Folded
from emulator.models.universal.head import Head
from emulator.models.universal.layers import Corrections
from emulator.models.universal.layout import Places, shared_places
from emulator.models.universal.tokens import Description, name_features, parameter_features

if TYPE_CHECKING:
    from emulator.models.universal.network import UniversalEmulator

ALIKE = 0.6
"""Cosine of two names' features, for parameters with those of roles half of it, from which they
count as the same: 'phi_pi' and 'phi_pi_active' do.
"""

RELATED = 0.35
"""Mean likeness of a world's parameters to another's, those that are not alike counting nothing,
from which the two are related.
"""

UNITS = ("shock_unit", "observable_unit", "live")
"""Sizes of a world's responses, which go with its weights where its answers are taken over."""

FAR = 3.0
"""Standard deviations of a relative's parameter by which the new world's may differ in mean, and
spread; beyond it units or meanings differ.
"""


def start(network: UniversalEmulator, other: UniversalEmulator) -> None:
    """Take over what another network shares, the own parts of worlds that it knows by the same name
    with the same observables, and for every other world those of its nearest relative.

    A world with an exact start keeps it. One that has none, while the other network's has, starts
    from that as from a relative: an exact start is in standard scores of its own data.
    """
    positions, weights = list(other._position), {}
    same = [
        world
        for world in network._position
        if _observe_alike(network, other, world) and network._learns(world) and other._learns(world)
    ]
    for name, value in other.state_dict().items():
        parts = name.split(".")
        if parts[0] == "corrections":
            world = positions[int(parts[1])]
            if world not in same:
                continue
            parts[1] = str(network._position[world])
        weights[".".join(parts)] = value
    shared = network.shared.taken_over(network._largest, other.shared, other._largest)
    network._take(weights | {f"shared.{name}": value for name, value in shared.items()})
    taught = {world: other._known_as(world) for world in positions}
    for world in network._position:
        if world not in same and network._learns(world):
            _start_new(network, world, taught)


def start_world(network: UniversalEmulator, other: UniversalEmulator, world: str) -> None:
    """Make a network's answers in one world those of another that knows it, up to rounding; what is
    shared stays.

    Where the two saw other means of parameters, effects that the world declares to be exact are
    read at this network's own, and answers differ by as much as the other errs about them. A world
    with an exact start keeps it. Raises `ModelError` where the other network does not know the
    world, describes it otherwise, or has other sizes.
    """
    if world not in other._position:
        raise ModelError(
            f"'{world}' cannot start from a network of {', '.join(other._position)}: expected one"
            f" that knows '{world}'."
        )
    mine, theirs = _facts(network, world), _facts(other, world)
    if differ := [name for name in mine if mine[name] != theirs[name]]:
        raise ModelError(
            f"'{world}' cannot start from a network with another {', '.join(differ)}:"
            f" there {[theirs[name] for name in differ]!r:.200}, here"
            f" {[mine[name] for name in differ]!r:.200}."
        )
    if not network._learns(world):
        return
    own, their_own = network._own(world), other._own(world)
    for name in UNITS:
        getattr(own, name).copy_(getattr(their_own, name))
    _start_new(network, world, {world: other._known_as(world)})


def _facts(network: UniversalEmulator, world: str) -> dict[str, object]:
    """What has to agree for one network to answer as the other does."""
    sizes = {name: network.options[name] for name in ("width", "layers", "shock_width")}
    head = network._head(world)
    return asdict(network._seen[world]) | sizes | {"structure": head.structure, "states": head.n}


def _observe_alike(network: UniversalEmulator, other: UniversalEmulator, world: str) -> bool:
    """Whether both know a world of this name with the same observables."""
    theirs = other._seen.get(world)
    return theirs is not None and theirs.observables == network._seen[world].observables


def _start_new(network: UniversalEmulator, world: str, taught: Mapping[str, Known]) -> None:
    """Start a world from the one of its name, with other observables, or from its nearest
    relative.
    """
    own = network._own(world)
    forget(own, network._known_as(world))
    new = network._known_as(world)
    namesake = {name: known for name, known in taught.items() if name == world}
    if (nearest := relative(new, namesake) or relative(new, taught)) is not None:
        inherit(own, new, taught[nearest])


class Known(NamedTuple):
    """One world of a network: what it knows of the world, the layout and units of outputs, the
    folded weights, moments of the parameters.
    """

    seen: Description
    head: Head
    units: tuple[Tensor, Tensor]
    folded: Folded
    mean: Tensor
    spread: Tensor


def relative(new: Known, known: Mapping[str, Known]) -> str | None:
    """The known world whose parameters are most alike, if any is related.

    It has hidden layers as wide, a shock of the same name, no more common states, and processes of
    shocks apart from the rest if the new world has them so.
    """
    scores = {
        name: relatedness(new.seen, old.seen)
        for name, old in known.items()
        if _as_large(new.folded, old.folded)
        and old.head.n <= new.head.n
        and old.head.layout.structure == new.head.layout.structure
    }
    best = max(scores, key=lambda name: scores[name], default=None)
    return best if best is not None and scores[best] >= RELATED else None


def relatedness(seen: Description, other: Description) -> float:
    """Mean likeness of a world's parameters to another's, those that are not alike counting
    nothing; 0 where no shock has the same name, or one of them alone says which parameters belong
    to its shocks. From `RELATED` on the two are related.
    """
    shocks = any(match is not None for match in same_shocks(seen, other))
    if not shocks or any(seen.own) != any(other.own):
        return 0.0
    alike = likeness(seen, other)
    return float(torch.where(alike > ALIKE, alike, 0.0).amax(1).mean())


def _as_large(folded: Folded, other: Folded) -> bool:
    """Whether two networks have hidden layers of the same number and widths."""
    layers, others = ([weight.shape for weight, _ in network.hidden] for network in (folded, other))
    return layers == others and folded.shock_hidden.shape[1:] == other.shock_hidden.shape[1:]


def likeness(seen: Description, other: Description) -> Tensor:
    """Cosines (P, Q) of the features of two worlds' parameters."""
    left, right = (
        torch.nn.functional.normalize(
            torch.stack(
                [parameter_features(*pair) for pair in zip(d.parameters, d.roles, strict=True)]
            ),
            dim=1,
        )
        for d in (seen, other)
    )
    return left @ right.T


def same_shocks(seen: Description, other: Description) -> list[int | None]:
    """For each shock of a world the other world's shock that is nearest in name, if it is alike."""
    scores = (
        torch.stack([name_features(shock) for shock in seen.shocks])
        @ torch.stack([name_features(shock) for shock in other.shocks]).T
    )
    return [int(row.argmax()) if float(row.max()) > ALIKE else None for row in scores]


def meeting(seen: Description, other: Description) -> Tensor:
    """(Q, P): which of the new world's parameters are the same by name as each of the relative's, 1
    or 0.

    Parameters of a shock's own process, and sizes, meet those of the same shock, whatever they are
    called.
    """
    scores = likeness(seen, other)
    common = torch.zeros_like(scores, dtype=torch.bool)
    common[torch.tensor(seen.common)[:, None], torch.tensor(other.common)] = True
    scores = torch.where(common & (scores > ALIKE), scores, 0.0)
    same = (scores > 0) & (
        (scores == scores.amax(1, keepdim=True)) | (scores == scores.amax(0, keepdim=True))
    )
    pairs_PQ = same.float()
    for shock, match in enumerate(same_shocks(seen, other)):
        if match is not None:
            pairs = [*zip(seen.own[shock], other.own[match], strict=False)]
            pairs += [(seen.sizes[shock], other.sizes[match])] if seen.sizes and other.sizes else []
            for p, q in pairs:
                pairs_PQ[p, q] = 1.0
    return pairs_PQ.T


def scores_of(new: Known, old: Known) -> tuple[Tensor, Tensor]:
    """T (Q, P) and c (Q,): the relative's standard scores from the new world's."""
    near = (new.mean - old.mean[:, None]).abs() <= FAR * old.spread[:, None]
    M = torch.where(
        near & (new.spread <= FAR * old.spread[:, None]), meeting(new.seen, old.seen), 0.0
    )
    M = M / M.sum(1, keepdim=True).clamp_min(1e-12)
    inverse = torch.where(old.spread > 0, 1 / old.spread, 0.0)
    return M * new.spread * inverse[:, None], torch.where(
        M.any(1), (M @ new.mean - old.mean) * inverse, 0.0
    )


@torch.no_grad()
def forget(own: Corrections, new: Known) -> None:
    """Take back what the shared weights say of a new world's outputs, so that only its start is
    left of them.
    """
    (units, shock_units), has, shocks, narrow = (
        new.units,
        new.folded,
        len(new.seen.shocks),
        own.shock_hidden.shape[0],
    )
    common = list(new.seen.common)
    own.out.sub_((has.out / units).T)
    own.skip.sub_((has.linear / units)[common].T)
    own.bias.sub_(has.constant / units - own.common_start[:, 0])
    own.shock_out.view(shocks, -1, narrow).sub_(
        (has.shock_out / shock_units[:, None]).transpose(1, 2)
    )
    linear = (has.shock_linear / shock_units[:, None]).transpose(1, 2)
    own.shock_skip.view(shocks, -1, len(common)).sub_(linear[..., common])
    own.shock_constant.sub_(has.shock_constant[:, 0] / shock_units - own.shock_start[..., 0])
    if own.shock_own_skip is not None:
        rows = own.shock_own_skip.view(*linear.shape[:2], -1)
        for shock, process in enumerate(new.seen.own):
            rows[shock, :, : len(process)] -= linear[shock][:, list(process)]


@torch.no_grad()
def inherit(own: Corrections, new: Known, old: Known) -> None:
    """Set a new world's corrections such that its network is its relative's, on the parameters,
    shocks and states that both have.
    """
    T, c = scores_of(new, old)
    common, before, after = list(new.seen.common), new.folded, old.folded
    own.first.add_((after.first @ T - before.first)[:, common])
    own.first_bias.add_(after.first_bias + after.first @ c - before.first_bias)
    for (weight, bias), (has, has_bias), delta, delta_bias in zip(
        after.hidden, before.hidden, own.hidden, own.hidden_bias, strict=True
    ):
        delta.add_(weight - has)
        delta_bias.add_(bias - has_bias)
    (here, there), of_shock = shared_places(new.head.layout, old.head.layout)
    own.out[here] += (after.out / old.units[0]).T[there] - (before.out / new.units[0]).T[here]
    linear, has = (after.linear / old.units[0]).T, (before.linear / new.units[0]).T
    own.skip[here] += (linear[there] @ T - has[here])[:, common]
    own.bias[here] += (after.constant / old.units[0] + linear @ c)[there] - (
        before.constant / new.units[0]
    )[here]
    own.shock_from.add_((after.shock_from - before.shock_from).T)
    own.shock_hidden.add_((after.shock_hidden[0] - before.shock_hidden[0]).T)
    first = after.shock_first[:, list(old.seen.common)]
    own.shock_first.add_(
        (T[list(old.seen.common)][:, common].T @ first[0] - before.shock_first[0, common]).T
    )
    for shock, match in enumerate(same_shocks(new.seen, old.seen)):
        if match is not None:
            pair = shock, match
            _inherit_shock(own, new, old, pair, of_shock, (T, c))


def _inherit_shock(
    own: Corrections,
    new: Known,
    old: Known,
    pair: tuple[int, int],
    places: Places,
    scores: tuple[Tensor, Tensor],
) -> None:
    """The part of one shock, from the relative's shock of the same name."""
    (shock, match), (here, there), (T, c) = pair, places, scores
    before, after = new.folded, old.folded
    shocks, narrow = len(new.seen.shocks), own.shock_hidden.shape[0]
    common, process = list(new.seen.common), list(new.seen.own[shock])
    units, others = new.units[1][shock], old.units[1][match]
    own.shock_bias[shock] += (
        after.shock_bias[match, 0] + c @ after.shock_first[match]
    ) - before.shock_bias[shock, 0]
    own.shock_hidden_bias[shock] += (
        after.shock_hidden_bias[match, 0] - before.shock_hidden_bias[shock, 0]
    )
    out, linear = after.shock_out[match] / others, after.shock_linear[match] / others
    wanted = (T.T @ linear)[:, there] - (before.shock_linear[shock] / units)[:, here]
    own.shock_out.view(shocks, -1, narrow)[shock, here] += (
        out[:, there] - (before.shock_out[shock] / units)[:, here]
    ).T
    own.shock_skip.view(shocks, len(units), -1)[shock, here] += wanted[common].T
    own.shock_constant[shock, here] += (after.shock_constant[match, 0] / others + c @ linear)[
        there
    ] - (before.shock_constant[shock, 0] / units)[here]
    if process and own.shock_own is not None and own.shock_own_skip is not None:
        own.shock_own.view(shocks, narrow, -1)[shock, :, : len(process)] += (
            T.T @ after.shock_first[match] - before.shock_first[shock]
        )[process].T
        own.shock_own_skip.view(shocks, len(units), -1)[shock, here, : len(process)] += wanted[
            process
        ].T
