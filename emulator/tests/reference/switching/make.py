"""Remake the reference files of this folder (see README.md): one draw at a time, scalar equations,
plain loops, no solver of the package.

python emulator/tests/reference/switching/make.py [--output FOLDER]
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
from scipy.optimize import root

from emulator.worlds.switching import SPEC

HERE = Path(__file__).resolve().parent
SEED = 20261123
N_IRF, N_VERDICT, HORIZON, STARTS = 24, 96, 12, 60
SHOCKS = ("m", "r", "u")


class Economy:
    """One parameter vector. A rule is (2 regimes, 3 variables x pi i, 4 states i_1 m r u)."""

    def __init__(self, theta: np.ndarray) -> None:
        self.p = dict(zip(SPEC.parameter_names, map(float, theta), strict=True))
        stay, back = self.p["p_active"], self.p["p_passive"]
        self.chain = [[stay, 1 - stay], [1 - back, back]]
        self.rho = [self.p[f"rho_{s}"] for s in SHOCKS]
        self.size = [self.p[f"sigma_{s}"] for s in SHOCKS]
        self.phi = [(self.p[f"phi_pi_{s}"], self.p[f"phi_y_{s}"]) for s in ("active", "passive")]

    def rate(self, regime: int, x: list[float], pi: list[float]) -> list[float]:
        """The Taylor rule, coefficient by coefficient of (i_1, m, r, u)."""
        (phi_pi, phi_y), rho_i = self.phi[regime], self.p["rho_i"]
        return [
            (1 - rho_i) * (phi_pi * b + phi_y * a) + extra
            for a, b, extra in zip(x, pi, (rho_i, 1.0, 0.0, 0.0), strict=True)
        ]

    def ahead(self, regime: int, tomorrow: list[list[float]], rate: list[float]) -> list[float]:
        """Expectation of a variable, its rules of tomorrow being given: on i_1 through today's
        rate, on the shocks also directly.
        """
        on = [sum(self.chain[regime][j] * tomorrow[j][k] for j in (0, 1)) for k in range(4)]
        return [on[0] * rate[0]] + [on[0] * rate[1 + k] + on[1 + k] * self.rho[k] for k in range(3)]

    def errors(self, guess: np.ndarray) -> list[float]:
        """Errors of the IS and the Phillips curve at x, pi rules (2 regimes, 2 variables, 4
        states), 16 numbers.
        """
        rules = guess.reshape(2, 2, 4).tolist()
        out = []
        for s in (0, 1):
            x, pi = rules[s]
            i = self.rate(s, x, pi)
            x1, pi1 = (self.ahead(s, [rules[0][v], rules[1][v]], i) for v in (0, 1))
            for k in range(4):
                r, u = float(k == 2), float(k == 3)
                out.append(x[k] - x1[k] + (i[k] - pi1[k] - r) / self.p["sigma"])
                out.append(pi[k] - self.p["beta"] * pi1[k] - self.p["kappa"] * x[k] - u)
        return out

    def full(self, guess: np.ndarray) -> np.ndarray:
        """T (2, 6, 6) of y = (x, pi, i, m, r, u) on y_1 at x, pi rules."""
        transition = np.zeros((2, 6, 6))
        for s, (x, pi) in enumerate(guess.reshape(2, 2, 4)):
            for row, rule in enumerate((x, pi, self.rate(s, list(x), list(pi)))):
                transition[s, row, 2] = rule[0]
                transition[s, row, 3:] = [rule[1 + k] * self.rho[k] for k in range(3)]
            transition[s, 3:, 3:] = np.diag(self.rho)
        return transition

    def radii(self, guess: np.ndarray) -> tuple[float, float]:
        """Spectral radii of [p_ij T_j (x) T_j] and [p_ij F_i (x) F_i], all 72 rows of either
        written out.
        """
        t, stable, bubble = self.full(guess), np.zeros((72, 72)), np.zeros((72, 72))
        lead = np.zeros((6, 6))
        lead[0, 0], lead[0, 1], lead[1, 1] = -1.0, -1 / self.p["sigma"], -self.p["beta"]
        for i, j in itertools.product((0, 1), repeat=2):
            phi_pi, phi_y = self.phi[i]
            current = np.eye(6)
            current[0, 2], current[0, 4], current[1, 0], current[1, 5] = (
                1 / self.p["sigma"],
                -1 / self.p["sigma"],
                -self.p["kappa"],
                -1.0,
            )
            current[2, :4] = (
                -(1 - self.p["rho_i"]) * phi_y,
                -(1 - self.p["rho_i"]) * phi_pi,
                1.0,
                -1.0,
            )
            forward = (
                -np.linalg.inv(lead @ (self.chain[i][0] * t[0] + self.chain[i][1] * t[1]) + current)
                @ lead
            )
            stable[36 * j : 36 * j + 36, 36 * i : 36 * i + 36] = self.chain[i][j] * np.kron(
                t[j], t[j]
            )
            bubble[36 * i : 36 * i + 36, 36 * j : 36 * j + 36] = self.chain[i][j] * np.kron(
                forward, forward
            )
        return np.abs(np.linalg.eigvals(stable)).max(), np.abs(np.linalg.eigvals(bubble)).max()

    def solutions(self, rng: np.random.Generator) -> list[np.ndarray]:
        """All real minimal-state-variable solutions that Powell's hybrid method finds from zero and
        from random starts.
        """
        rules: list[np.ndarray] = []
        for scale in [0.0] + [2.0] * (STARTS - 1):
            answer = root(self.errors, scale * rng.normal(size=16), tol=1e-14)
            if np.abs(self.errors(answer.x)).max() < 1e-9 and all(
                np.abs(answer.x - other).max() > 1e-5 for other in rules
            ):
                rules.append(answer.x)
        return rules

    def responses(self, guess: np.ndarray) -> np.ndarray:
        """(3 shocks, 13, 3 observables), averaged over every path of the regimes with its
        probability, 2^13 in all.
        """
        t, total = self.full(guess), np.zeros((HORIZON + 1, 3, 6))
        rules = guess.reshape(2, 2, 4)
        first = (self.p["active_at_impact"], 1 - self.p["active_at_impact"])

        def follow(period: int, regime: int, chance: float, y: np.ndarray) -> None:
            total[period] += chance * y
            if period < HORIZON:
                for j in (0, 1):
                    follow(period + 1, j, chance * self.chain[regime][j], y @ t[j].T)

        for s in (0, 1):
            x, pi = rules[s]
            impact = np.array([x, pi, self.rate(s, list(x), list(pi))])[:, 1:]
            follow(0, s, first[s], np.diag(self.size) @ np.concatenate([impact, np.eye(3)]).T)
        return (total[:, :, :3] * [1.0, 4.0, 4.0]).transpose(1, 0, 2)


def draws(rng: np.random.Generator) -> np.ndarray:
    """Prior draws (120, 17); of the first 24 every third begins active, every third passive; the
    last 48 are drawn to the border.
    """
    theta = rng.uniform(SPEC.low, SPEC.high, size=(N_IRF + N_VERDICT, SPEC.n_parameters))
    theta[0:N_IRF:3, SPEC.index("active_at_impact")] = 1.0
    theta[1:N_IRF:3, SPEC.index("active_at_impact")] = 0.0
    theta[3, [SPEC.index(name) for name in ("rho_i", "rho_m", "rho_r", "rho_u")]] = 0.0
    for row in range(N_IRF + N_VERDICT // 2, N_IRF + N_VERDICT):
        step = 10.0 ** rng.uniform(-4, -2) * (1 if row % 2 else -1)
        theta[row, SPEC.index("phi_pi_passive")] = border(theta[row]) + step
    return theta


def border(theta: np.ndarray) -> float:
    """phi_pi_passive at which the radius for bubbles is one, by bisection along the solution that
    is found at 1.5.
    """
    theta, low, high, rule = theta.copy(), -1.0, 1.5, np.zeros(16)
    for step in range(30):
        theta[SPEC.index("phi_pi_passive")] = middle = (low + high) / 2 if step else high
        economy = Economy(theta)
        answer = root(economy.errors, rule, tol=1e-14).x
        if economy.radii(answer)[1] > 1:
            low = middle
        else:
            high, rule = middle, answer
    return high


def main(output: Path) -> None:
    rng = np.random.default_rng(SEED)
    theta, answers, verdicts = draws(rng), [], []
    for row in theta:
        economy = Economy(row)
        rules = economy.solutions(rng)
        radii = [economy.radii(rule) for rule in rules]
        best = int(np.argmin([stable for stable, _ in radii]))
        verdicts.append((len(rules), sum(stable < 1 for stable, _ in radii), *radii[best]))
        if len(answers) < N_IRF and verdicts[-1][2] < 1 > verdicts[-1][3]:
            answers.append((row, economy.responses(rules[best])))
    output.mkdir(parents=True, exist_ok=True)
    write(output / "theta.csv", SPEC.parameter_names, [row for row, _ in answers])
    rows = [
        (d, s, h, *irf[s, h])
        for d, (_, irf) in enumerate(answers)
        for s, h in itertools.product(range(3), range(HORIZON + 1))
    ]
    write(output / "irfs.csv", ("draw", "shock", "horizon", "output", "inflation", "rate"), rows)
    columns = (*SPEC.parameter_names, "solutions", "stable_solutions", "stable", "bubble")
    write(
        output / "verdicts.csv",
        columns,
        [(*row, *verdict) for row, verdict in zip(theta, verdicts, strict=True)],
    )


def write(path: Path, columns: tuple[str, ...], rows: list) -> None:
    np.savetxt(
        path, np.array(rows), fmt="%.17g", delimiter=",", header=",".join(columns), comments=""
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    main(**vars(parser.parse_args()))
