"""Honest scores: metrics, intervals, trivial baselines beside every number, figures and report.

Names are imported on first use, so that `python -m emulator.eval.evaluate` loads each module once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "METRICS": "emulator.eval.metrics",
    "Metric": "emulator.eval.metrics",
    "Scale": "emulator.eval.scale",
    "Score": "emulator.eval.scores",
    "score": "emulator.eval.scores",
    "Evaluation": "emulator.eval.results",
    "Request": "emulator.eval.request",
    "evaluate_checkpoint": "emulator.eval.evaluate",
    "evaluate_network": "emulator.eval.evaluate",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emulator.eval' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
