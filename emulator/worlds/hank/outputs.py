"""What is summed over the households of `hank`: assets and labour, which the markets clear, and
consumption of the poor and of the rich.

Households are ranked by what they own as the quarter begins. The poorest half and the richest tenth
are those of each quarter's own distribution, as in distributional accounts: a group keeps its share
and its members change. A group does not end at one household but fades: it is the average of all
groups that end between two ranks, so that households between them belong to it in part. Wealth has
atoms, households of one skill who did the same since they last had nothing. What a group that ends
at one household spends jumps wherever an atom passes its end, and differs by a twentieth between a
grid and a finer one. Axes: E skill, A asset, Q end of a group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.worlds.hank.household import SteadyState, Tastes

BOTTOM, TOP = (0.4, 0.6), (0.85, 0.95)
"""Ranks between which the poorest half fades out, and the richest tenth in."""


class Output(NamedTuple):
    """A choice that is summed over households: its value at rest (E, A), and how it answers to
    cash, consumption and hours of the household, and to the hours that a higher wage calls forth,
    each (E, A).
    """

    level: np.ndarray
    by_cash: np.ndarray
    by_c: np.ndarray
    by_n: np.ndarray
    by_called: np.ndarray


class Group(NamedTuple):
    """Which fraction of the households at each asset belongs to a group, (A,); what it spends at
    rest, in quarterly output; and what those spend whose place its members take, (A,).

    Where the distribution moves by dD, the group's ends move so that it keeps its share: each
    household that enters takes the place of one at an end. To first order, spending of the group
    moves by the sum of `member * dc * D + (member * c - replaced) * dD`.
    """

    member: np.ndarray
    spent: float
    replaced: np.ndarray


def outputs(tastes: Tastes, s: SteadyState) -> list[Output]:
    """Assets and effective labour, the two that the markets clear."""
    skill = np.broadcast_to(s.skill[:, None], s.a.shape)
    one, none = np.ones(s.a.shape), np.zeros(s.a.shape)
    # A higher wage pays for the hours it calls forth: the cash of savers holds them already.
    assets = Output(s.a, by_cash=one, by_c=-one, by_n=tastes.wage * skill, by_called=none)
    labour = Output(s.labour, by_cash=none, by_c=none, by_n=skill, by_called=skill)
    return [assets, labour]


def watched(s: SteadyState, fade: float = 1.0) -> list[Output]:
    """Consumption of the poorest half and of the richest tenth, each by its value at rest."""
    none, summed = np.zeros(s.a.shape), []
    for group in groups(s, fade):
        member = np.broadcast_to(group.member / group.spent, s.a.shape)
        level = (group.member * s.c - group.replaced) / group.spent
        summed.append(Output(level, by_cash=none, by_c=member, by_n=none, by_called=none))
    return summed


def groups(s: SteadyState, fade: float = 1.0) -> tuple[Group, Group]:
    """The poorest half and the richest tenth; fade: see `Grid`."""
    return _group(s, BOTTOM, fade, poor=True), _group(s, TOP, fade, poor=False)


def _group(s: SteadyState, ranks: tuple[float, float], fade: float, poor: bool) -> Group:
    """The average of the groups below (`poor`) or above a rank, over the ranks between two."""
    owners = s.distribution.sum(axis=0)
    upto = np.cumsum(owners)
    middle, reach = sum(ranks) / 2, fade * (ranks[1] - ranks[0]) / 2
    first, last = middle - reach, middle + reach
    # Between ranks at which the end moves on to the next asset, what belongs to a group is linear.
    cuts = np.concatenate([[first], upto[(upto > first) & (upto < last)], [last]])
    width_Q, end_Q = np.diff(cuts), (cuts[1:] + cuts[:-1]) / 2
    weight_Q = width_Q / (last - first) if reach else np.ones(1)
    shares = np.maximum(owners, np.finfo(float).tiny)
    below_QA = np.clip((end_Q[:, None] - (upto - owners)) / shares, 0, 1)
    member_QA = below_QA if poor else 1 - below_QA
    edge_Q = np.searchsorted(upto, end_Q)
    at_edge_Q = (s.distribution * s.c).sum(axis=0)[edge_Q] / owners[edge_Q]
    member = weight_Q @ member_QA
    replaced = (weight_Q * at_edge_Q) @ member_QA
    return Group(member, float((s.distribution * s.c).sum(axis=0) @ member), replaced)
