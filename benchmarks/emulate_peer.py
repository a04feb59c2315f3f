"""AutoEmulate's part of `emulate.py`, in an environment of its own (`pip install autoemulate`).

Its own comparison over its default emulators, each tuned by its own cross-validation, on theta and
the responses standardised and as 16 principal components (its tutorial on dimensionality
reduction), one more setting of each emulator at a time until the processor time is spent. The
cheapest come first: in its own order the Gaussian processes would take all the time from 1,000
draws on, and the emulators behind them would never be tried. A fit that is not done when the time
is spent is given up, unless it is the first. The emulator of the highest r2 on the draws that it
holds out itself is fitted again on all draws (`fit_from_reinitialized`), as the tutorial does; that
costs extra.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import warnings
from typing import Any

import numpy as np
import torch

COMPONENTS = 16
CHEAPEST_FIRST = (
    "PolynomialRegression",
    "RadialBasisFunctions",
    "MLP",
    "EnsembleMLP",
    "GaussianProcessRBF",
    "GaussianProcessMatern32",
)


class OutOfTimeError(BaseException):
    """Not an `Exception`: AutoEmulate catches those, and goes on."""


def out_of_time(_number: int, _frame: object) -> None:
    raise OutOfTimeError


def main() -> None:
    path, seed, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    began = time.process_time()
    from autoemulate import AutoEmulate
    from autoemulate.transforms import PCATransform, StandardizeTransform

    with np.load(path) as draws:
        theta, irf, sigma = draws["theta"], draws["irf"], draws["sigma"]
        test_theta, test_irf = draws["test_theta"], draws["test_irf"]
    x, y = torch.tensor(theta).float(), torch.tensor(irf.reshape(len(irf), -1)).float()
    alive = y.std(0) > 0  # a column that never varies cannot be standardised
    x_test = torch.tensor(test_theta).float()

    def error(emulator: Any) -> float:
        with torch.no_grad():
            if emulator.supports_uq:
                mean = emulator.predict_mean_and_variance(x_test)[0]
            else:
                mean = emulator.predict(x_test)
        answer = np.tile(irf.reshape(len(irf), -1).mean(0), (len(x_test), 1))
        answer[:, alive.numpy()] = mean.numpy()
        squares = ((test_irf - answer.reshape(test_irf.shape)) / sigma[:, None, :]) ** 2
        return float(np.nanmean(np.sqrt(squares.mean(axis=(0, 2)))))

    results: list[tuple[float, str, Any]] = []
    number = 0
    names = sorted(
        (emulator.model_name() for emulator in AutoEmulate.default_emulators()),
        key=CHEAPEST_FIRST.index,
    )
    signal.signal(signal.SIGPROF, out_of_time)
    while time.process_time() - began < seconds:
        name = names[number % len(names)]
        left = seconds - (time.process_time() - began)
        signal.setitimer(signal.ITIMER_PROF, left if results else 0)
        try:
            comparison = AutoEmulate(
                x,
                y[:, alive],
                models=[name],
                n_iter=1,
                n_bootstraps=None,
                random_seed=1000 * seed + number // len(names),
                show_progress_bar=False,
                y_transforms_list=[
                    [
                        StandardizeTransform(),
                        PCATransform(n_components=COMPONENTS),
                        StandardizeTransform(),
                    ]
                ],
                transformed_emulator_params={
                    "full_covariance": False,
                    "output_from_samples": False,
                },
            )
            best = comparison.best_result()
            score = next(v[0] for m, v in best.test_metrics.items() if m.name == "r2")
            results.append((float(score), name, comparison))
            print(f"{name}: r2 {score}, {time.process_time() - began:.1f} s", file=sys.stderr)
        except OutOfTimeError:
            break
        except Exception as failure:
            print(f"{name}: {failure}", file=sys.stderr)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        number += 1
    lowest = min(error(comparison.best_result().model) for _, _, comparison in results)
    _, chosen, comparison = max(results, key=lambda entry: entry[0])
    again = comparison.fit_from_reinitialized(x, y[:, alive], random_seed=seed)
    refitted = error(again)
    from importlib.metadata import version

    print(
        json.dumps(
            {
                "kind": f"{chosen}, of {len(results)} fits",
                "nrmse": refitted,
                "lowest": min(lowest, refitted),
                "seconds": time.process_time() - began,
                "versions": f"autoemulate {version('autoemulate')}, torch {torch.__version__}",
            }
        )
    )


if __name__ == "__main__":
    main()
