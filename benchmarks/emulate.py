"""Our choice of an emulator against AutoEmulate's, from the same draws within the same processor
time, scored on the same fresh draws.

    python benchmarks/emulate.py --draws /tmp/draws --peer /tmp/autoemulate/bin/python

Both see arrays alone: theta and responses, no names that mean anything, nothing declared. Draws are
solved once and kept in `--draws`, in chunks, so that an interrupted run goes on. Each line of the
result is kept in `benchmarks/emulate.csv` as soon as it is measured, and is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import emulator
from emulator import provenance
from emulator.eval.metrics import nrmse
from emulator.eval.scale import Scale
from emulator.worlds import open_world

ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / "emulate.csv"
PEER = ROOT / "emulate_peer.py"
COLUMNS = ("simulator", "draws", "seed", "who", "kind", "nrmse", "lowest", "seconds", "versions")
OBSERVED = 3
"""Of `sw07` and `hank` output, inflation and the rate, as in all their published scores."""

HORIZON = 40
CHUNK = 50
TEST = 300
SIMULATORS = {
    "sw07": "sw07",
    "zlb": "zlb",
    "hank": "hank",
    "monthly": str(ROOT.parent / "examples" / "own_simulator.py"),
}


def draws(name: str, folder: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """So many draws of a simulator's prior with their responses, in chunks of streams of their
    own.
    """
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    world = open_world(SIMULATORS[name])
    chunks = []
    for number in range(-(-count // CHUNK)):
        path = place / f"{number:03d}.npz"
        if not path.exists():
            theta = world.sample(CHUNK, np.random.default_rng([2026, number]))
            irf = world.irf(theta, HORIZON).astype(np.float32)
            aside = path.with_suffix(".partial.npz")
            np.savez(aside, theta=theta, irf=irf)
            aside.replace(path)
        with np.load(path) as chunk:
            chunks.append((chunk["theta"], chunk["irf"]))
    theta, irf = (np.concatenate(parts)[:count] for parts in zip(*chunks, strict=True))
    return theta, irf[..., :OBSERVED] if name in ("sw07", "hank") else irf


def sample(
    name: str, folder: Path, count: int, seed: int, most: int
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Training draws by seed, and test draws that are the same for every seed and number."""
    theta, irf = draws(name, folder, most + TEST)
    rows = TEST + np.random.default_rng(seed).permutation(most)[:count]
    return (theta[rows], irf[rows]), (theta[:TEST], irf[:TEST])


def ours(
    train: tuple[np.ndarray, np.ndarray], theta: np.ndarray, seed: int, seconds: float
) -> tuple[str, np.ndarray]:
    """The kind that our choice comes to, and its responses at theta."""
    parameters, responses = train
    with tempfile.TemporaryDirectory() as folder:
        network = emulator.emulate(
            parameters,
            responses,
            parameters=[f"p{k}" for k in range(parameters.shape[1])],
            shocks=[f"s{k}" for k in range(responses.shape[1])],
            observables=[f"y{k}" for k in range(responses.shape[3])],
            budget=seconds,
            seed=seed,
            output=folder + "/run",
        )
        kind = json.loads((Path(folder) / "run" / "choice.json").read_text())["winner"]
    with torch.inference_mode():
        return kind, network.network(torch.from_numpy(theta).float(), "mine").numpy()


def peer(
    python: str,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    seed: int,
    seconds: float,
) -> dict[str, object]:
    """What `emulate_peer.py` says in AutoEmulate's own environment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draws.npz"
        np.savez(
            path,
            theta=train[0],
            irf=train[1],
            test_theta=test[0],
            sigma=Scale.fit(*train).sigma,
            test_irf=test[1],
        )
        command = [python, str(PEER), str(path), str(seed), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"AutoEmulate failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(
    who: str,
    python: str,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    seed: int,
    seconds: float,
) -> dict[str, object]:
    if who == "AutoEmulate":
        return peer(python, train, test, seed, seconds)
    began = time.process_time()
    kind, answer = ours(train, test[0], seed, seconds)
    spent = time.process_time() - began
    error = nrmse(test[1], answer, Scale.fit(*train).sigma)
    versions = provenance.versions()
    return {
        "kind": kind,
        "nrmse": error,
        "lowest": error,
        "seconds": spent,
        "versions": f"torch {versions['torch']}, numpy {versions['numpy']}",
    }


def kept() -> list[dict[str, str]]:
    if not RESULTS.exists():
        return []
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file))


def keep(line: dict[str, object]) -> None:
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow({key: line[key] for key in COLUMNS})


def report(lines: list[dict[str, str]]) -> None:
    """A row a simulator and number of draws: medians over seeds."""
    print("| simulator | draws | seeds | ours | AutoEmulate, its choice | its lowest | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, count in sorted({(line["simulator"], int(line["draws"])) for line in lines}):
        case = [x for x in lines if (x["simulator"], int(x["draws"])) == (name, count)]
        own = [x for x in case if x["who"] == "ours"]
        others = [x for x in case if x["who"] != "ours"]
        if own and others:
            mine, other = _median(own, "nrmse"), _median(others, "nrmse")
            print(
                f"| `{name}` | {count:,} | {min(len(own), len(others))} | {mine:.3f} |"
                f" {other:.3f} | {_median(others, 'lowest'):.3f} | {mine / other:.2f} |"
            )


def _median(lines: list[dict[str, str]], key: str) -> float:
    return float(np.median([float(line[key]) for line in lines]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=Path, default=Path("datasets/emulate"))
    parser.add_argument("--peer", default="", help="Python of an environment with autoemulate")
    parser.add_argument("--simulators", default=",".join(SIMULATORS))
    parser.add_argument("--sizes", default="300,1000,3000")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--seconds", type=float, default=60.0, help="processor time of each")
    parser.add_argument("--most", type=int, default=3000, help="draws that are solved for training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    done = {(x["simulator"], x["draws"], x["seed"], x["who"]) for x in kept()}
    for seed in options.seeds.split(","):
        for count in options.sizes.split(","):
            for name in options.simulators.split(","):
                for who in ("ours", "AutoEmulate"):
                    if (name, count, seed, who) in done or (who != "ours" and not options.peer):
                        continue
                    train, test = sample(name, options.draws, int(count), int(seed), options.most)
                    line = measure(who, options.peer, train, test, int(seed), options.seconds)
                    keep({"simulator": name, "draws": count, "seed": seed, "who": who, **line})
                    print(f"{name} {count} {seed} {who}: {line}", file=sys.stderr, flush=True)
    report(kept())


if __name__ == "__main__":
    main()
