"""The structure of one world as it is learnt: what closes it, its space of parts, the maps of its
regimes.

Axes: B batch, n draw, G group of draws with one part, P parameter, X dear parameter, D number of
the part, K component, M margin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from emulator.closures.closure import Closure
from emulator.closures.metric import metric
from emulator.closures.modes import periods_alone
from emulator.closures.parts import DearParts
from emulator.errors import ModelError, ParameterError
from emulator.models.structure.borders import Borders
from emulator.models.structure.maps import (
    BETTER,
    TRIAL_DRAWS,
    SmoothMap,
    answers,
    error_of_trend,
    make_room,
)
from emulator.models.structure.space import PartSpace

BLOCK = 64
"""Draws that are answered at a time, so that what is between stays in the processor's cache."""
METRIC_DRAWS = 300
"""Training draws at which it is found what errors of the part count for."""
MOST_REGIMES = 64
TINY = 1e-12
"""Share of the lowest training draw below which logarithms of inputs are those of this share."""
TO_AND_FRO = 0.25
"""Second difference of a response, as a share of its peak, above which it alternates: of 25,599
draws of `hank` six do, among them the one that errs by half a standard deviation.
"""


class Structure(nn.Module):
    """The structure of one world: what closes it, its space of parts, the maps of its regimes.

    regimes (R,): which margins are positive in each, as bits; the first has the most training
    draws. Its map serves the others too, whose own say what is to be added. logs (X,): dear
    parameters that maps take the logarithms of. All tensors travel with the weights.
    """

    low: Tensor
    high: Tensor
    dear: Tensor
    logs: Tensor
    regimes: Tensor
    closure_counts: Tensor
    closure_modes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("dear", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("regimes", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("logs", torch.zeros(0, dtype=torch.bool))
        for name in ("low", "high"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.float64))
        for name in Closure.fields():
            kind = torch.float64 if name in ("modes", "factors", "scales") else torch.int64
            self.register_buffer(f"closure_{name}", torch.zeros(0, dtype=kind))
        self.space = PartSpace()
        self.margins = Borders()
        self.maps = nn.ModuleList()
        self._closure: Closure | None = None
        self._plain: Closure | None = None

    @property
    def closure(self) -> Closure:
        """What closes the part, of this module's tensors."""
        if self._closure is None or self._closure.modes.device != self.closure_modes.device:
            names = Closure.fields()
            self._closure = Closure(**{name: getattr(self, f"closure_{name}") for name in names})
        return self._closure

    def fit(
        self,
        parts: DearParts,
        scale_O: np.ndarray,
        horizon: int,
        options: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> None:
        """Find the space, the margins' map and the maps of the regimes."""
        closure, n_groups = parts.closure, len(parts.values)
        for name in Closure.fields():
            array = torch.from_numpy(np.array(getattr(closure, name)))
            setattr(self, f"closure_{name}", array)
        self._closure = self._plain = None
        first = np.unique(parts.group, return_index=True)[1]
        dear = parts.theta[first][:, list(parts.dear)]
        self.dear = torch.tensor(parts.dear, dtype=torch.int64)
        self.low, self.high = torch.from_numpy(dear.min(0)), torch.from_numpy(dear.max(0))
        rows = rng.permutation(len(parts.theta))[:METRIC_DRAWS]
        values = parts.values[parts.group[rows]].astype(np.float64)
        weights = metric(closure, parts.theta[rows], values, scale_O, horizon)
        families = self.space.fit(closure, weights, parts.values, tuple(options["components"]))
        margins = torch.from_numpy(parts.values[:, closure.margins].astype(np.float64))
        codes = self._codes(margins)
        regimes, counts = torch.unique(codes, return_counts=True)
        self.regimes = regimes[counts.argsort(descending=True)]
        x_GX = self.inputs(torch.from_numpy(parts.theta[first]))
        assert len(x_GX) == n_groups
        if margins.shape[1]:
            self.margins = Borders(options["robust"])
            self.margins.fit(x_GX, margins, options["centres"], rng)
        main = rng.permutation(np.flatnonzero(codes == self.regimes[0]))[:TRIAL_DRAWS]
        self._choose_logarithms(x_GX[main], torch.from_numpy(families[0][main]), options["robust"])
        x_GX = self._bent(x_GX)
        if len(self.regimes) > MOST_REGIMES:
            raise ModelError(
                f"The parts have {len(self.regimes)} regimes; expected {MOST_REGIMES} at most."
            )
        self.maps = nn.ModuleList()
        for code in self.regimes:
            own = codes == code
            maps = [SmoothMap(options["robust"]) for _ in families]
            for family, coefficients in enumerate(families):
                wanted = torch.from_numpy(coefficients)[own]
                if len(self.maps):
                    wanted = wanted - self._maps_of(0)[family](x_GX[own])
                if coefficients.shape[1]:
                    maps[family].fit(x_GX[own], wanted, options["centres"], rng)
            self.maps.append(nn.ModuleList(maps))

    def _choose_logarithms(self, x_nX: Tensor, wanted_nK: Tensor, robust: bool) -> None:
        """Take logarithms of the inputs in which polynomials then err less on draws held out: what
        is a power of an input, as marginal utility is, needs fewer terms in its logarithm.
        """
        self.logs = torch.zeros(len(self.dear), dtype=torch.bool)
        least = error_of_trend(x_nX, wanted_nK, robust)
        for column in torch.nonzero(self.low > 0)[:, 0].tolist():
            self.logs[column] = True
            error = error_of_trend(self._bent(x_nX), wanted_nK, robust)
            self.logs[column] = error < BETTER * least
            least = min(error, least) if self.logs[column] else least

    def inputs(self, theta_BP: Tensor) -> Tensor:
        """Dear parameters (B, X), each from -1 to 1 over the training draws."""
        return 2 * (theta_BP[:, self.dear] - self.low) / (self.high - self.low) - 1

    def _bent(self, x_BX: Tensor) -> Tensor:
        """Inputs (B, X) as the maps of the part take them: logarithms of some, from -1 to 1 too."""
        if not bool(self.logs.any()):
            return x_BX
        ratio = torch.where(self.logs, self.high / self.low, 2.0)
        share = 1 + 0.5 * (x_BX + 1) * (ratio - 1)
        return torch.where(self.logs, 2 * share.clamp_min(TINY).log() / ratio.log() - 1, x_BX)

    def _codes(self, margins_BM: Tensor) -> Tensor:
        """Which margins are positive, as a number (B,)."""
        bits = 2 ** torch.arange(margins_BM.shape[1], device=margins_BM.device)
        return ((margins_BM > 0) * bits).sum(1)

    def _regime(self, x_BX: Tensor) -> Tensor:
        """The place (B,) of each draw's regime in `regimes`; of one that no training draw has, that
        of the known one with the fewest other margins.
        """
        if len(self.regimes) == 1:
            return torch.zeros(len(x_BX), dtype=torch.int64, device=x_BX.device)
        margins = self.margins(x_BX)
        bits = torch.arange(margins.shape[1], device=margins.device)
        differ_BRM = (margins > 0)[:, None] != ((self.regimes[:, None] >> bits) & 1).bool()
        return differ_BRM.sum(2).argmin(1)

    def part(self, theta_BP: Tensor) -> Tensor:
        """The predicted part (B, D) without its margins, which close nothing."""
        x_BX = self.inputs(theta_BP)
        place_B = self._regime(x_BX.detach())
        places = place_B.tolist()
        if len(set(places)) == 1:
            return self.space(*self._coefficients(x_BX, places[0]))
        rows = [torch.nonzero(place_B == place)[:, 0] for place in set(places)]
        pieces = [self._coefficients(x_BX[own], int(place_B[own[0]])) for own in rows]
        back = torch.argsort(torch.cat(rows))
        return self.space(*(torch.cat(family)[back] for family in zip(*pieces, strict=True)))

    def _maps_of(self, place: int) -> list[SmoothMap]:
        """The maps of both families in one regime."""
        return list(cast("nn.ModuleList", self.maps[place]))  # type: ignore[arg-type]

    def _coefficients(self, x_BX: Tensor, place: int) -> list[Tensor]:
        """Coefficients of the components of both families in one regime."""
        x_BX = self._bent(x_BX)
        answer = answers(self._maps_of(place), x_BX)
        if place == 0:
            return answer
        main = answers(self._maps_of(0), x_BX)
        return [own + beside for own, beside in zip(answer, main, strict=True)]

    def forward(self, theta_BP: Tensor, horizon: int) -> Tensor:
        """Responses (B, S, H+1, O) at parameters (B, P), float64, natural units."""
        if not len(self.maps):
            raise ModelError(
                "The emulator of structure has learnt no parts: train it on data in groups of a"
                " world that closes its dear part by arrays (emulator generate --draws-per-group)."
            )
        blocks = [self._closed(rows, self.part(rows), horizon) for rows in theta_BP.split(BLOCK)]
        return blocks[0] if len(blocks) == 1 else torch.cat(blocks)

    def alternates(self, theta_BP: Tensor) -> Tensor:
        """Which draws (B,) have responses that still go to and fro where the periods end that are
        modes of their own. What follows is a sum of smooth modes, which cannot.
        """
        periods = periods_alone(self.closure_modes.cpu().numpy())
        if periods < 3:
            return torch.zeros(len(theta_BP), dtype=torch.bool, device=theta_BP.device)
        irf_BSHO = self.forward(theta_BP, periods - 1)
        last = irf_BSHO[:, :, periods - 3] + irf_BSHO[:, :, -1] - 2 * irf_BSHO[:, :, -2]
        return (last.abs() > TO_AND_FRO * irf_BSHO.abs().amax(2)).flatten(1).any(1)

    def _closed(self, theta_BP: Tensor, part_BD: Tensor, horizon: int) -> Tensor:
        """Responses of parts. By NumPy where nothing is differentiated: of its many small steps
        PyTorch makes a draw alone wait twice as long.
        """
        if not torch.is_inference_mode_enabled() or theta_BP.device.type != "cpu":
            return self.closure.responses(theta_BP, part_BD, horizon)
        if self._plain is None:
            self._plain = self.closure.mapped(lambda table: table.numpy())
        responses = self._plain.responses(theta_BP.numpy(), part_BD.numpy(), horizon)
        return torch.from_numpy(responses)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Make room for what is to be loaded, and a map for each regime."""
        if f"{prefix}closure_counts" in state_dict:  # closures had no sums once
            none = torch.zeros(0, 2, dtype=torch.int64)
            state_dict.setdefault(f"{prefix}closure_sums", none)
            plain = torch.zeros(len(state_dict.get(f"{prefix}dear", none)), dtype=torch.bool)
            state_dict.setdefault(f"{prefix}logs", plain)  # nor logarithms
        make_room(self, state_dict, prefix)
        stored = state_dict.get(f"{prefix}regimes")
        count = 0 if stored is None else min(len(stored), MOST_REGIMES)
        self.maps = nn.ModuleList(nn.ModuleList([SmoothMap(), SmoothMap()]) for _ in range(count))
        self._closure = self._plain = None
        super()._load_from_state_dict(state_dict, prefix, *rest)
        errors = rest[-1]
        try:
            if count:
                self.closure.check()
        except (ParameterError, ValueError, IndexError) as error:
            errors.append(f"{prefix}closure: {error}")
