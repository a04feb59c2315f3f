"""What is summed over the households of `hank`: assets and labour, which the markets clear, and
consumption of the poor and of the rich.

Households are ranked by what they own as the quarter begins. The poorest half and the richest tenth
are those of each quarter's own distribution, as in distributional accounts: a group keeps its share
and its members change. Households at the grid point where a group ends belong to it with the
fraction that makes its share exact. Axes: E skill, A asset.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.worlds.hank.household import SteadyState, Tastes

BOTTOM, TOP = 0.5, 0.1
"""Shares of households that are the poorest and the richest."""


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
    rest, in quarterly output; and what a household at its edge spends.

    Where the distribution moves by dD, the edge moves so that the group keeps its share: each
    household that enters takes the place of one at the edge. To first order, spending of the group
    moves by the sum of `member * dc * D + member * (c - at_edge) * dD`.
    """

    member: np.ndarray
    spent: float
    at_edge: float


def outputs(tastes: Tastes, s: SteadyState) -> list[Output]:
    """Assets and effective labour, the two that the markets clear."""
    skill = np.broadcast_to(s.skill[:, None], s.a.shape)
    one, none = np.ones(s.a.shape), np.zeros(s.a.shape)
    # A higher wage pays for the hours it calls forth: the cash of savers holds them already.
    assets = Output(s.a, by_cash=one, by_c=-one, by_n=tastes.wage * skill, by_called=none)
    labour = Output(s.labour, by_cash=none, by_c=none, by_n=skill, by_called=skill)
    return [assets, labour]


def watched(s: SteadyState) -> list[Output]:
    """Consumption of the poorest half and of the richest tenth, each by its value at rest."""
    none, summed = np.zeros(s.a.shape), []
    for group in groups(s):
        member = np.broadcast_to(group.member / group.spent, s.a.shape)
        level = member * (s.c - group.at_edge)
        summed.append(Output(level, by_cash=none, by_c=member, by_n=none, by_called=none))
    return summed


def groups(s: SteadyState) -> tuple[Group, Group]:
    """The poorest half and the richest tenth."""
    owners = s.distribution.sum(axis=0)
    upto = np.cumsum(owners)
    return _group(s, owners, upto, BOTTOM, poor=True), _group(s, owners, upto, 1 - TOP, poor=False)


def _group(s: SteadyState, owners: np.ndarray, upto: np.ndarray, share: float, poor: bool) -> Group:
    """Those below (`poor`) or above the household with a share of the others below it."""
    edge = int(np.searchsorted(upto, share))
    below = (np.arange(len(owners)) < edge).astype(float)
    below[edge] = (share - (upto[edge] - owners[edge])) / owners[edge]
    member = below if poor else 1 - below
    spent = float((s.distribution * s.c).sum(axis=0) @ member)
    at_edge = float(s.distribution[:, edge] @ s.c[:, edge] / owners[edge])
    return Group(member, spent, at_edge)
