"""The kinds of emulators that are tried, and what each is made of.

A kind is one line here. Regressions are fitted whole; networks are trained by the trainer, in
rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.errors import ConfigError, EmulatorError, nearest
from emulator.models.baselines.per_world import NO_SIZE
from emulator.models.regressions.views import views_of
from emulator.spec import WorldSpec

ALL = "all"


@dataclass(frozen=True)
class Kind:
    """One kind: its class in `emulator.models.MODELS` with options, and how it learns.

    share: of the budget of regressions. least, most: numbers of training draws between which it
    can be expected to work. settings: of `TrainingConfig`, for what is trained in rounds.
    """

    name: str
    title: str
    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    trained: bool = False
    share: float = 0.0
    least: int = 1
    most: int = 10**9
    settings: Mapping[str, Any] = field(default_factory=dict)
    sizes: bool = False
    """Whether the class takes the sizes of shocks as an option of its own."""

    def options_for(self, specs: Mapping[str, WorldSpec], seconds: float) -> dict[str, Any]:
        """Options with which `emulator.models.build` makes it for these worlds."""
        options = dict(self.options)
        if self.settings.get("init_from"):
            options = _as_shipped(str(self.settings["init_from"]))
        if self.sizes:
            sizes = {w: [view.size for view in views_of(spec)] for w, spec in specs.items()}
            options["sizes"] = {w: own for w, own in sizes.items() if set(own) != {NO_SIZE}}
        if "seconds" in options:
            options["seconds"] = seconds
        return options


def _as_shipped(name: str) -> dict[str, Any]:
    """Options of a network that ships, without what follows from its worlds."""
    from emulator.models import load

    own = load(name).network.options
    return {key: value for key, value in own.items() if key not in ("worlds", "H")}


PLAIN = {"optimizer": "adamw", "lr": 2e-3, "weight_decay": 1e-4, "grad_clip": 1.0}
STRUCTURED = {"optimizer": "soap", "lr": 1e-2, "weight_decay": 0.0, "sample_weighting": "relative"}

KINDS = {
    kind.name: kind
    for kind in (
        Kind("linear", "ridge regression", "RidgeEmulator", {"degree": 1}, share=0.02),
        Kind("quadratic", "ridge, products too", "RidgeEmulator", {"degree": 2}, share=0.05),
        Kind(
            "gp",
            "Gaussian processes",
            "GaussianProcessEmulator",
            {"seconds": 0.0, "own": 24, "components": 24},
            share=0.4,
            least=15,
            most=20_000,
        ),
        Kind(
            "gp_shape",
            "Gaussian processes of size and shape",
            "GaussianProcessEmulator",
            {"seconds": 0.0, "own": 24, "components": 24, "shape": True},
            share=0.4,
            least=15,
            most=20_000,
        ),
        Kind(
            "pca_mlp",
            "principal components, perceptron",
            "PCAMLPBaseline",
            {"hidden_dims": [256, 256, 256], "components": 32},
            trained=True,
            least=100,
            settings=PLAIN,
            sizes=True,
        ),
        Kind(
            "mlp",
            "perceptron",
            "PerWorldMLPBaseline",
            {"hidden_dims": [256, 256, 256]},
            trained=True,
            least=100,
            settings=PLAIN,
            sizes=True,
        ),
        Kind(
            "gru",
            "recurrent perceptron",
            "PerWorldGRUBaseline",
            {"hidden_dim": 96},
            trained=True,
            least=300,
            settings=PLAIN,
            sizes=True,
        ),
        Kind(
            "universal",
            "the universal structure",
            "UniversalEmulator",
            {"width": 96, "layers": 2, "shock_width": 48, "states": 9},
            trained=True,
            least=300,
            settings=STRUCTURED,
        ),
        Kind(
            "finetune",
            "the network that ships, fine-tuned",
            "UniversalEmulator",
            trained=True,
            least=100,
            settings={**STRUCTURED, "lr": 3e-3, "init_from": "universal"},
        ),
    )
}
"""Every kind by name, in the order in which they are tried."""

STACK = "stack"
"""Stands on the board for the best kinds put together; not asked for by name."""


def asked(kind: str | list[str] | tuple[str, ...]) -> list[Kind]:
    """The kinds that a text such as `all` or `gp,mlp`, or a list, names, in the table's order.

    Raises `ConfigError` for a name that is none, with the nearest.
    """
    names = kind.split(",") if isinstance(kind, str) else list(kind)
    names = [str(name).strip() for name in names]
    if not names or names == [""]:
        raise ConfigError(f"No kind was named; expected '{ALL}' or some of {', '.join(KINDS)}.")
    for name in names:
        if name not in (ALL, *KINDS):
            raise ConfigError(f"Unknown kind: '{name:.50}'. {nearest(name, [ALL, *KINDS])}")
    return [KINDS[name] for name in KINDS if name in names or ALL in names]


def fits(kind: Kind, specs: Mapping[str, WorldSpec], n_draws: int) -> str:
    """Why a kind cannot be expected to work on these worlds with so many training draws; empty if
    it can.
    """
    if n_draws < kind.least:
        return f"{n_draws} training draws; it needs {kind.least}"
    if n_draws > kind.most:
        return f"{n_draws} training draws; it is for {kind.most} at most"
    if kind.name == "finetune":
        return _unrelated(specs)
    return ""


def _unrelated(specs: Mapping[str, WorldSpec]) -> str:
    """Why the network that ships knows nothing of these worlds: none of its own is related to
    one, as `emulator.models.universal.transfer` sees it, or it observes nothing that they do.
    """
    from emulator.models import load
    from emulator.models.universal.tokens import Description
    from emulator.models.universal.transfer import RELATED, relatedness

    try:
        known = load("universal").world_specs.values()
    except EmulatorError as error:
        return str(error)
    for name, spec in specs.items():
        seen = Description.of(spec)
        others = [other for other in known if set(other.observable_names) & set(seen.observables)]
        if all(relatedness(seen, Description.of(other)) < RELATED for other in others):
            return (
                f"no world of the network that ships is related to '{name}' by names and roles of"
                " parameters, their shocks and observables"
            )
    return ""
