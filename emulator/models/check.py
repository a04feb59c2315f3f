"""The conformance suite that every network passes; outsiders run it on their own networks too."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from emulator.errors import ModelCheckError, ModelError
from emulator.models.base import EmulatorModel
from emulator.models.normaliser import WorldStatistics
from emulator.spec import PERCENT, Moves, Observable, WorldSpec

Make = Callable[[], EmulatorModel]
HORIZON = 12
DRAWS = 32

COUNTS = (1, 2, 7)
"""Observables of the worlds that are made up for the suite."""


def check_model(model: type[EmulatorModel], specs: Sequence[WorldSpec]) -> None:
    """Run every check on a class of networks over these worlds, and over copies of the first that
    have 1, 2 and 7 observables, the last with responses that some parameters leave alone.

    Raises `ModelCheckError` that lists all checks that failed.

    The network is bound to made-up moments and prepared from made-up draws. Checked: shapes;
    natural units (responses scale with the data's scale); a mixed batch equals its worlds apart;
    padding and the order of rows change nothing; what a world declares is exact; gradients reach
    every parameter; options build the same network again; input that does not fit is refused. A
    network without parameters must have learnt from `prepare` instead.
    """
    failures = _failures(model, {spec.name: spec for spec in specs})
    others = [_observed(specs[0], count) for count in COUNTS]
    others[-1] = _declaring(others[-1])
    failures += _failures(model, {spec.name: spec for spec in others})
    if failures:
        raise ModelCheckError(
            f"{model.__name__} fails {len(failures)} check(s):\n  " + "\n  ".join(failures)
        )


def _failures(model: type[EmulatorModel], specs: dict[str, WorldSpec]) -> list[str]:
    """What goes wrong with one network over these worlds."""
    torch.manual_seed(0)
    try:
        first = model.from_specs(specs, HORIZON).eval()
        first.bind({name: _statistics(spec) for name, spec in specs.items()}, specs)
        first.prepare({name: _samples(spec) for name, spec in specs.items()})
    except (TypeError, ValueError, RuntimeError, ModelError) as error:
        return [f"builds, binds and prepares over {', '.join(specs)}: {error}"]

    def make() -> EmulatorModel:
        return copy.deepcopy(first)

    failures = []
    for check in CHECKS:
        try:
            check(make, specs)
        except (ModelCheckError, ModelError, TypeError, RuntimeError) as error:
            failures.append(f"{check.__name__.removeprefix('_')}: {error}")
    return failures


def _observed(spec: WorldSpec, count: int) -> WorldSpec:
    """A copy of a world with so many observables, as many of them its own as it has."""
    more = [
        Observable(name=f"series_{k}", tex=f"x_{k}", unit=PERCENT, meaning=f"Series {k}")
        for k in range(count)
    ]
    observables = (*spec.observables, *more)[:count]
    name = f"{spec.name}_of_{count}"
    return spec.model_copy(update={"name": name, "observables": observables})


def _statistics(spec: WorldSpec, size: float = 1.0) -> WorldStatistics:
    """Made-up moments of plausible size, different for each shock and observable."""
    low, high = torch.tensor(spec.low).float(), torch.tensor(spec.high).float()
    shape = spec.n_shocks, spec.n_observables
    scale = size * (0.5 + torch.arange(spec.n_shocks * spec.n_observables).float().reshape(*shape))
    return WorldStatistics((low + high) / 2, (high - low) / 12**0.5, low, high, scale)


def _theta(spec: WorldSpec, n: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    low, high = torch.tensor(spec.low).float(), torch.tensor(spec.high).float()
    return low + (high - low) * torch.rand(n, spec.n_parameters, generator=generator)


def _samples(spec: WorldSpec, sign: float = 1.0) -> tuple[Tensor, Tensor]:
    """Made-up draws to start from: theta (n, P), and responses (n, S, H+1, O) that are sums of two
    decays, each of a size that depends on theta.
    """
    theta, moments = _theta(spec, DRAWS), _statistics(spec)
    slopes = (
        torch.randn(2, spec.n_parameters, generator=torch.Generator().manual_seed(3))
        / spec.n_parameters**0.5
    )
    sizes_n2 = torch.tanh((theta - moments.theta_mean) / moments.theta_std @ slopes.T)
    decays_2H = torch.tensor([0.9, 0.5])[:, None] ** torch.arange(HORIZON + 1)
    loadings = torch.randn(
        2, spec.n_shocks, spec.n_observables, generator=torch.Generator().manual_seed(4)
    )
    return theta, sign * moments.irf_scale[:, None, :] * torch.einsum(
        "nk,kh,kso->nsho", sizes_n2, decays_2H, loadings
    )


def _mixed(specs: dict[str, WorldSpec]) -> tuple[Tensor, list[str]]:
    """Three rows of each world, interleaved and padded beyond the widest."""
    ids = [name for _ in range(3) for name in specs]
    theta = torch.zeros(len(ids), max(spec.n_parameters for spec in specs.values()) + 2)
    for name, spec in specs.items():
        rows = [k for k, other in enumerate(ids) if other == name]
        theta[rows, : spec.n_parameters] = _theta(spec, 3)
    return theta, ids


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ModelCheckError(message)


def _close(left: Tensor, right: Tensor, what: str) -> None:
    error = float(((left - right).abs().max() / right.abs().max().clamp_min(1e-12)).detach())
    _expect(error <= 1e-5, f"{what}: largest relative difference {error:.1e}")


def _shapes(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    for name, spec in specs.items():
        shape = tuple(model(_theta(spec, 5), name).shape)
        _expect(
            shape == (5, spec.n_shocks, HORIZON + 1, spec.n_observables),
            f"world {name} gives {shape}",
        )
        _expect(
            model(_theta(spec, 5), [name] * 5).shape == shape,
            "a list of one world differs from its name",
        )


def _natural_units(make: Make, specs: dict[str, WorldSpec]) -> None:
    model, larger = make(), make()
    larger.bind({name: _statistics(spec, 1000.0) for name, spec in specs.items()}, specs)
    for name, spec in specs.items():
        theta = _theta(spec, 4)
        _close(
            larger(theta, name),
            1000.0 * model(theta, name),
            f"world {name}: responses do not scale with the data's units",
        )


def _mixed_equals_apart(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    theta, ids = _mixed(specs)
    together = model(theta, ids)
    for name, spec in specs.items():
        rows = [k for k, other in enumerate(ids) if other == name]
        apart = model(_theta(spec, 3), name)
        own = together[rows, : spec.n_shocks, :, : spec.n_observables]
        _close(own, apart, f"world {name} in a mixed batch")
        _expect(
            not together[rows, spec.n_shocks :].any(), f"world {name}: padded shocks are not zero"
        )
        _expect(
            not together[rows][..., spec.n_observables :].any(),
            f"world {name}: padded observables are not zero",
        )


def _padding_is_ignored(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    for name, spec in specs.items():
        theta = _theta(spec, 4)
        padded = torch.cat([theta, torch.full((4, 7), 1e6)], dim=1)
        _expect(
            torch.equal(model(padded, name), model(theta, name)),
            f"world {name}: what stands in the padding changes the answer",
        )


def _order_of_rows(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    theta, ids = _mixed(specs)
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(2))
    _close(
        model(theta[order], [ids[k] for k in order]),
        model(theta, ids)[order],
        "the batch in another order",
    )


def _tells_parameters_apart(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    for name, spec in specs.items():
        theta = _theta(spec, 1).requires_grad_()
        (slope,) = torch.autograd.grad(model(theta, name).square().sum(), theta)
        moves = torch.from_numpy(spec.moved.any((1, 2)))
        _expect(
            bool((slope[0, moves] != 0).all()),
            f"world {name}: a parameter does not reach the output",
        )
        effect = slope[0] * _statistics(spec).theta_std  # of a standard deviation of each parameter
        _expect(
            float(effect.std()) > 1e-3 * float(effect.abs().max()),
            f"world {name}: all parameters act alike",
        )


def _gradients(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    theta, ids = _mixed(specs)
    answers = model(theta, ids)
    if not list(model.parameters()):
        name, spec = next(iter(specs.items()))
        model.prepare({name: _samples(spec, sign=-1.0)})
        _expect(
            not torch.equal(answers, model(theta, ids)),
            "there is no parameter to train, and prepare learns nothing",
        )
        return
    answers.square().sum().backward()
    for name, parameter in model.named_parameters():
        good = (
            parameter.grad is not None
            and bool(torch.isfinite(parameter.grad).all())
            and bool(parameter.grad.any())
        )
        _expect(good, f"no finite gradient reaches {name}")


def _options_rebuild(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    again = type(model)(**model.options)
    again.bind({name: _statistics(spec) for name, spec in specs.items()}, specs)
    again.load_state_dict(model.state_dict())
    theta, ids = _mixed(specs)
    _expect(
        torch.equal(again.eval()(theta, ids), model(theta, ids)),
        "options and weights do not build the same network",
    )


def _refuses(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    name, spec = next(iter(specs.items()))
    theta = _theta(spec, 2)
    for what, arguments in (
        ("an unknown world", (theta, "no-such-world")),
        ("too few parameters", (theta[:, 1:], name)),
        ("a list of another length", (theta, [name])),
        ("theta without a batch axis", (theta[0], name)),
    ):
        try:
            model(*arguments)
        except ModelError:
            continue
        _expect(False, f"{what} was not refused with ModelError")


def _declared_is_exact(make: Make, specs: dict[str, WorldSpec]) -> None:
    model = make()
    for name, spec in specs.items():
        theta, moved = _theta(spec, 3), torch.from_numpy(spec.moved)
        before = model(theta, name)
        for k, parameter in enumerate(spec.parameter_names):
            if bool(moved[k].all()):
                continue
            other = theta.clone()
            other[:, k] = theta[:, k].roll(1)
            same = (model(other, name) == before).all(2).all(0)
            _expect(
                bool((same | moved[k]).all()),
                f"world {name}: '{parameter}' moves responses that it is declared to leave alone",
            )
        silent = torch.from_numpy(spec.silent)
        _expect(
            not before.transpose(1, 2)[:, :, silent].any(),
            f"world {name}: responses that are declared to be zero are not",
        )


def _declaring(spec: WorldSpec) -> WorldSpec:
    """A copy of a world of several observables with made-up declarations of each kind."""
    first, second, *parameters = spec.parameters
    shocks = list(spec.shocks)
    shocks[-1] = shocks[-1].model_copy(update={"moves_only": spec.observable_names[:2]})
    first = first.model_copy(update={"moves_only": Moves(shocks=spec.shock_names[:1])})
    second = second.model_copy(update={"moves_only": Moves(observables=spec.observable_names[1:])})
    update = {"parameters": (first, second, *parameters), "shocks": tuple(shocks)}
    return spec.model_copy(update=update)


CHECKS = (
    _shapes,
    _natural_units,
    _mixed_equals_apart,
    _padding_is_ignored,
    _order_of_rows,
    _tells_parameters_apart,
    _declared_is_exact,
    _gradients,
    _options_rebuild,
    _refuses,
)
