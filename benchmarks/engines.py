"""Three engines of derivatives on the same residuals: our graph, symengine and CasADi.

    pip install symengine casadi
    python benchmarks/engines.py FILE.mod ... [--order 2]

Each gets the residuals as nodes of our graph, is timed (processor seconds) from there to first
derivatives (and those of the second order), and says how many operations an evaluation of all
first derivatives takes. `agree` is the largest difference of the first derivatives from ours,
relative to 1 and their size, at points near one.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from emulator.modfile.compiling.differentiate import gradient, higher
from emulator.modfile.compiling.graph import Graph
from emulator.modfile.compiling.load import parse, planner_of, symbolic_model, with_multipliers
from emulator.modfile.compiling.tape import record

Derivatives = dict[tuple[int, int], Any]
"""By (row, symbol)."""


def residuals_of(path: Path) -> tuple[Graph, list[int], list[list[int]], list[int]]:
    """The graph, its residuals, the dated symbols of each, and all symbols."""
    file = parse(path)
    planner = planner_of(file)
    model = symbolic_model(with_multipliers(file, planner) if planner else file, planner)
    graph = model.names.graph
    roots = list(model.dynamic)
    dated = [list(model.names.dates_in(root)) for root in roots]
    return graph, roots, dated, graph.symbols(*roots)


def by_graph(graph: Graph, roots: list[int], dated: list[list[int]], order: int) -> Derivatives:
    first: Derivatives = {}
    for row, (root, symbols) in enumerate(zip(roots, dated, strict=True)):
        slopes = gradient(graph, root, symbols)
        first |= {(row, symbol): node for symbol, node in slopes.items()}
        if order == 2:
            higher(graph, slopes, symbols, 2)
    return first


def translated(graph: Graph, roots: list[int], algebra: Any, symbols: dict[int, Any]) -> list[Any]:
    """The residuals in another algebra (a module with exp, log, sin ... on its own symbols)."""
    images: dict[int, Any] = dict(symbols)
    for node in graph.reached(roots):
        head, operands, weights, _ = graph[node]
        parts = [images[operand] for operand in operands]
        if head == "number":
            whole = weights[0] == int(weights[0])
            images[node] = int(weights[0]) if whole else weights[0]
        elif head == "sum":
            images[node] = weights[0] if weights[0] else 0
            for part, weight in zip(parts, weights[1:], strict=True):
                images[node] += part if weight == 1 else weight * part
        elif head == "product":
            images[node] = 1
            for part, weight in zip(parts, weights, strict=True):
                exponent = int(weight) if weight == int(weight) else weight
                images[node] *= part if exponent == 1 else part**exponent
        elif head == "power":
            images[node] = parts[0] ** parts[1]
        elif head != "symbol":
            images[node] = getattr(algebra, head)(*parts)
    return [images[root] for root in roots]


def by_symengine(
    graph: Graph, roots: list[int], dated: list[list[int]], order: int
) -> tuple[Derivatives, Any]:
    import symengine

    symbols = {s: symengine.Symbol(f"s{s}") for s in graph.symbols(*roots)}
    first: Derivatives = {}
    for row, residual in enumerate(translated(graph, roots, symengine, symbols)):
        slopes = {s: residual.diff(symbols[s]) for s in dated[row]}
        first |= {(row, s): slope for s, slope in slopes.items() if slope != 0}
        if order == 2:
            for position, (_, slope) in enumerate(slopes.items()):
                for other in dated[row][position:]:
                    slope.diff(symbols[other])
    return first, symbols


def by_casadi(
    graph: Graph, roots: list[int], dated: list[list[int]], order: int
) -> tuple[Derivatives, Any]:
    import casadi

    symbols = {s: casadi.SX.sym(f"s{s}") for s in graph.symbols(*roots)}
    first: Derivatives = {}
    for row, residual in enumerate(translated(graph, roots, casadi, symbols)):
        moving = casadi.vertcat(*(symbols[s] for s in dated[row]))
        slopes = casadi.gradient(residual, moving)
        first |= {(row, s): slopes[k] for k, s in enumerate(dated[row])}
        if order == 2:
            casadi.jacobian(slopes, moving)
    return first, symbols


def compare(path: Path, order: int) -> None:
    print(f"{path.name}:")
    cost: dict[str, float] = {}
    graph, roots, dated, symbols = residuals_of(path)
    started = time.process_time()
    ours = by_graph(graph, roots, dated, order)
    cost["graph"] = time.process_time() - started
    point = np.random.default_rng(0).uniform(0.9, 1.1, len(symbols))
    tape = record(graph, symbols, list(ours.values()))
    reference = dict(zip(ours, tape(list(point)), strict=True))
    steps: dict[str, int] = {"graph": len(tape.steps)}
    agree: dict[str, float] = {}
    for name, engine in (("symengine", by_symengine), ("casadi", by_casadi)):
        started = time.process_time()
        first, own = engine(graph, roots, dated, order)
        cost[name] = time.process_time() - started
        values, steps[name] = evaluated(name, first, own, point)
        differences = [
            abs(values[key] - reference.get(key, 0.0)) / max(1.0, abs(values[key]))
            for key in values
        ]
        agree[name] = max(differences, default=0.0)
    for name, seconds in cost.items():
        agreement = f"{agree[name]:.1e}" if name in agree else ""
        print(f"  {name:10s} {seconds:8.2f} s {steps[name]:9d} operations  {agreement}", flush=True)


def evaluated(
    name: str, first: Derivatives, own: dict[int, Any], point: np.ndarray
) -> tuple[dict[tuple[int, int], float], int]:
    """Values at a point, and the operations that all of them take."""
    if name == "casadi":
        import casadi

        function = casadi.Function("f", list(own.values()), [casadi.vertcat(*first.values())])
        values = np.array(function(*point)).ravel()
        return dict(zip(first, values, strict=True)), function.n_instructions()
    import symengine

    replacements, reduced = symengine.cse(list(first.values()))
    function = symengine.Lambdify(list(own.values()), list(first.values()), cse=True)
    values = np.array(function(point)).ravel()
    operations = symengine.count_ops([e for _, e in replacements]) + symengine.count_ops(reduced)
    return dict(zip(first, values, strict=True)), int(operations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--order", type=int, choices=(1, 2), default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for path in arguments.files:
        compare(path, arguments.order)


if __name__ == "__main__":
    main()
