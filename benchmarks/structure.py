"""The emulator of structure of `hank` held to its bars: errors on households that it has not seen,
derivatives, comparative statics, effects that are zero, time.

    python benchmarks/structure.py --checkpoint runs/structure_hank --dataset datasets/hank

An error is that of `emulator evaluate`: NRMSE in units of the standard deviation of each response
over the draws, relative error of a draw. A derivative's error is its distance from the solver's,
over the size of that, over all shocks, quarters and observables; the median over draws, each of
another household. Derivatives are central differences between a twentieth of the range below and
above, of draws in one regime at both ends. Beside them stands by how much the solver's own differ
on a finer grid; and the error beside its differences of a hundredth, which differ among grids by
more. A comparative static moves one parameter from a fifth to four fifths of its range, at the
defaults and at draws of the test split; its error is that of the difference of responses of output,
inflation and the rate, over the size of that; its sign that of the largest effect on each of them
for each shock, where it is more than a hundredth of the response. An effect is too small for the
band where the half widths of the band at both ends, taken together as independent errors, exceed
the bar's share of it.
"""

from __future__ import annotations

import json
import time
from math import isnan, nan
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.table import Table

import emulator
from emulator.console import out, run
from emulator.data import open_dataset
from emulator.eval.metrics import relative_error, squared_error
from emulator.inference import Emulator
from emulator.models.trained import TrainedNetwork, load, one_thread, predict
from emulator.worlds import get_world

WORLD, SHARED = "hank", 3
MEAN, P95, P99 = 0.005, 0.01, 0.03
DEAR, SOME = len(get_world(WORLD).dear), 400
"""Parameters that decide a household, and households of which a draw each is looked at."""
STEP, FINE = 0.05, {"points": 1500}
DERIVATIVE, STATIC, STATICS = 0.05, 0.05, 50
ONE_MS, MANY_MS = 2.0, 0.3
VISIBLE = 0.01
"""Share of a response's peak above which an effect has a sign that counts."""


def main(
    checkpoint: Annotated[
        str, typer.Option(help="An emulator of structure; calibrated, its flags count too.")
    ],
    dataset: Annotated[Path, typer.Option(help="Data in groups, with a test split.")],
    draws: Annotated[int, typer.Option(min=1, help="Draws at which derivatives are taken.")] = 40,
    statics: Annotated[int, typer.Option(min=1, help="Comparative statics.")] = STATICS,
    output: Annotated[Path | None, typer.Option(help="JSON file of the figures.")] = None,
) -> None:
    """Print each bar with its figure; the exit code is 1 if one is missed."""
    trained, data = load(checkpoint), open_dataset(dataset)
    theta, _ = data.read(WORLD, "test")
    figures: dict[str, Any] = {}
    with one_thread():
        figures["errors"] = errors(trained, data)
        figures["cost"] = cost(trained, theta)
        economy = emulator.load(checkpoint)
        some = theta[np.sort(np.unique(theta[:, :DEAR], axis=0, return_index=True)[1])][:SOME]
        flagged = doubts(trained, some)
        figures["flagged"] = float(flagged.mean())
        calm = some[~flagged].astype(np.float64)
        figures["statics"] = comparative_statics(trained, calm, statics)
        figures["zero"] = zero_effects(trained, calm[:50])
        figures["derivatives"], figures["derivatives_by_grid"] = derivatives(trained, calm[:draws])
        figures["derivatives_small"] = small_derivatives(economy, calm[:draws])
    table, met = bars(figures)
    out.print(table)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(0 if met else 1)


def errors(trained: TrainedNetwork, data: Any) -> dict[str, Any]:
    """Errors on `test`: of all responses, and by observable."""
    theta, truth = data.read(WORLD, "test")
    prediction = predict(trained, WORLD, theta).astype(np.float64)
    observed = trained.world_specs[WORLD].shared_observables(data.spec(WORLD))[1]
    truth = truth[..., observed].astype(np.float64)
    sigma = trained.network.normaliser.statistics(WORLD).irf_scale.double().numpy()
    nrmse_SO = np.sqrt(squared_error(truth, prediction, sigma).mean(axis=0))
    names = trained.world_specs[WORLD].observable_names
    return {
        "draws": len(theta),
        "households": len(np.unique(theta[:, :DEAR], axis=0)),
        "nrmse": float(nrmse_SO.mean()),
        "nrmse_shared": float(nrmse_SO[:, :SHARED].mean()),
        "nrmse_by_observable": dict(zip(names, nrmse_SO.mean(axis=0).tolist(), strict=True)),
        **quantiles("relative", relative_error(truth, prediction, sigma)),
        **quantiles(
            "relative_shared",
            relative_error(truth[..., :SHARED], prediction[..., :SHARED], sigma[:, :SHARED]),
        ),
    }


def quantiles(name: str, relative: np.ndarray) -> dict[str, float]:
    return {f"{name}_p{q}": float(np.nanquantile(relative, q / 100)) for q in (50, 95, 99)}


def cost(trained: TrainedNetwork, theta: np.ndarray) -> dict[str, float]:
    """Processor time of a draw in milliseconds, alone and among a thousand; medians of five."""
    many = theta[np.arange(1000) % len(theta)]

    def once(rows: np.ndarray, times: int) -> float:
        started = time.process_time()
        for _ in range(times):
            predict(trained, WORLD, rows, threads=1)
        return 1e3 * (time.process_time() - started) / times / len(rows)

    once(many[:1], 3)
    return {
        "one_ms": float(np.median([once(many[:1], 10) for _ in range(5)])),
        "many_ms": float(np.median([once(many, 1) for _ in range(5)])),
    }


def doubts(trained: TrainedNetwork, theta: np.ndarray) -> np.ndarray:
    """Which draws (n,) are flagged; of a network that is not calibrated, which it doubts itself."""
    doubted = trained.network.doubted if trained.trust is None else trained.flagged
    with torch.inference_mode():
        return doubted(torch.from_numpy(np.float32(theta)), WORLD).numpy()


def comparative_statics(trained: TrainedNetwork, bases: np.ndarray, count: int) -> dict[str, Any]:
    """How many are right: the sign of each effect, and the size within the bar, or flagged."""
    world = get_world(WORLD)
    spec = world.spec
    rows: list[dict[str, Any]] = []
    points = np.concatenate([spec.theta(), bases])
    for number in range(count):
        parameter = number % spec.n_parameters
        pair = np.repeat(points[number // spec.n_parameters][None], 2, axis=0)
        low, high = spec.low[parameter], spec.high[parameter]
        pair[:, parameter] = low + np.array([0.2, 0.8]) * (high - low)
        if (world.status(pair) != 0).any():
            continue
        truth = np.diff(world.irf(pair), axis=0)[0, ..., :SHARED]
        peak = np.abs(world.irf(pair[:1])[0, ..., :SHARED]).max(axis=1)
        effect = np.diff(predict(trained, WORLD, pair), axis=0)[0, ..., :SHARED]
        error = float(np.linalg.norm(effect - truth) / np.linalg.norm(truth))
        largest = np.abs(truth).argmax(axis=1, keepdims=True)
        signs = [np.sign(np.take_along_axis(e, largest, axis=1))[:, 0] for e in (truth, effect)]
        counts = np.abs(truth).max(axis=1) > VISIBLE * peak
        rows.append(
            {
                "parameter": spec.parameter_names[parameter],
                "error": error,
                "signs": bool((signs[0] == signs[1])[counts].all()),
                "flagged": bool(doubts(trained, pair).any()),
                "below_band": below_band(trained, pair, effect),
            }
        )
    right = [row["flagged"] or (row["signs"] and row["error"] <= STATIC) for row in rows]
    return {
        "asked": len(rows),
        "right": int(np.sum(right)),
        "flagged": int(np.sum([row["flagged"] for row in rows])),
        "below_band": [row["parameter"] for row in rows if row["below_band"]],
        "median_error": float(np.median([row["error"] for row in rows])),
        "missed": [row for row, good in zip(rows, right, strict=True) if not good],
    }


def below_band(trained: TrainedNetwork, pair: np.ndarray, effect: np.ndarray) -> bool:
    """Whether an effect (S, H+1, O) is too small to be known within the bar by the band; never of a
    network that is not calibrated.
    """
    if trained.trust is None:
        return False
    with torch.inference_mode():
        width = trained.trust.half_width(torch.from_numpy(np.float32(pair)), WORLD).numpy()
    return bool(np.linalg.norm(width[..., :SHARED]) > STATIC * np.linalg.norm(effect))


def zero_effects(trained: TrainedNetwork, theta: np.ndarray) -> dict[str, Any]:
    """Whether each parameter leaves alone, bit by bit, all that it does not move in the world."""
    spec, wrong = trained.world_specs[WORLD], []
    own = [set(columns) for columns in spec.shock_parameters]
    before = predict(trained, WORLD, theta)
    checked = 0
    for k, name in enumerate(spec.parameter_names):
        other = theta.copy()
        other[:, k] = np.roll(other[:, k], 1)
        same = (predict(trained, WORLD, other) == before).all(axis=(0, 2))
        for s in range(spec.n_shocks):
            others = any(k in columns for t, columns in enumerate(own) if t != s)
            still = ~spec.moved[k, s] | (others and k not in own[s])
            checked += int(np.sum(still))
            if not (same[s] | ~still).all():
                wrong.append(f"{name} moves {spec.shock_names[s]}")
    return {"checked": checked, "wrong": wrong}


def derivatives(
    trained: TrainedNetwork, theta: np.ndarray
) -> tuple[dict[str, float], dict[str, float]]:
    """Error of the derivative by each parameter, median over draws; and by how much the solver's
    differs on a finer grid, for those that decide the dear part.
    """
    world = get_world(WORLD)
    fine, spec = world.with_settings(FINE), world.spec
    errors, by_grid = {}, {}
    for k, name in enumerate(spec.parameter_names):
        ends = np.stack([theta, theta])
        step = STEP * (spec.high[k] - spec.low[k]) * np.array([-1.0, 1.0])
        ends[..., k] = np.clip(ends[..., k] + step[:, None], spec.low[k], spec.high[k])
        same = np.equal(*world.regime(ends.reshape(-1, theta.shape[1])).reshape(2, -1))
        pairs = ends[:, same].reshape(-1, theta.shape[1])
        truth = _between(world.irf(pairs))
        errors[name] = _apart(_between(predict(trained, WORLD, pairs).astype(float)), truth)
        if name in world.dear:
            by_grid[name] = _apart(truth, _between(fine.irf(pairs)))
    return errors, by_grid


def _between(irf: np.ndarray) -> np.ndarray:
    """Differences of responses (2n, ...) of pairs, all second ends after all first."""
    first, second = np.split(irf[..., :SHARED], 2)
    return second - first


def _apart(guess: np.ndarray, truth: np.ndarray) -> float:
    """Distance over size, median over draws."""
    axes = tuple(range(1, truth.ndim))
    return float(np.median(np.sqrt(((guess - truth) ** 2).sum(axes) / (truth**2).sum(axes))))


def small_derivatives(economy: Emulator, theta: np.ndarray) -> dict[str, float]:
    """Error of the network's own derivative beside the solver's small differences."""
    guess = economy.jacobian(WORLD, theta).isel(observable=slice(SHARED))
    truth = emulator.world(WORLD).jacobian(theta).isel(observable=slice(SHARED))
    axes = ["shock", "horizon", "observable"]
    distance, size = (
        ((values**2).mean(axes) ** 0.5).values
        for values in (guess - truth.drop_vars(truth.coords), truth)
    )
    share = np.median(distance / size, axis=0)
    return dict(zip(truth["parameter"].values.tolist(), share.tolist(), strict=True))


def bars(figures: dict[str, Any]) -> tuple[Table, bool]:
    """A row for each bar, and whether all are met."""
    table = Table(title="The emulator of structure, hank", title_justify="left")
    for column in ("figure", "measured", "bar", "met"):
        table.add_column(column)
    errors, cost, statics = figures["errors"], figures["cost"], figures["statics"]
    worst = max(figures["derivatives"], key=figures["derivatives"].get)
    small = max(figures["derivatives_small"], key=figures["derivatives_small"].get)
    by_grid = figures["derivatives_by_grid"]
    coarse = max(by_grid, key=by_grid.get)
    rows = [
        (f"mean NRMSE, {errors['households']} households unseen", errors["nrmse"], MEAN),
        ("the same of output, inflation, rate", errors["nrmse_shared"], MEAN),
        ("relative error, 95th percentile", errors["relative_p95"], P95),
        ("the same of output, inflation, rate", errors["relative_shared_p95"], P95),
        ("relative error, 99th percentile", errors["relative_p99"], P99),
        ("the same of output, inflation, rate", errors["relative_shared_p99"], P99),
        (f"derivatives, the worst ({worst})", figures["derivatives"][worst], DERIVATIVE),
        (
            f"beside small differences, the worst ({small})",
            figures["derivatives_small"][small],
            nan,
        ),
        (f"the solver's own on a finer grid ({coarse})", by_grid[coarse], nan),
        ("one draw, ms", cost["one_ms"], ONE_MS),
        ("a draw among 1,000, ms", cost["many_ms"], MANY_MS),
        ("comparative statics missed", float(statics["asked"] - statics["right"]), 0.0),
        (
            "of these, not too small for the band",
            float(sum(not row["below_band"] for row in statics["missed"])),
            nan,
        ),
        ("effects too small for the band", float(len(statics["below_band"])), nan),
        ("zero effects that are not zero", float(len(figures["zero"]["wrong"])), 0.0),
    ]
    for name, value, bar in rows:
        met = "" if isnan(bar) else "yes" if value <= bar else "NO"
        table.add_row(name, f"{value:.4g}", "" if isnan(bar) else f"{bar:g}", met)
    return table, not any(value > bar for _, value, bar in rows)


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(main)
