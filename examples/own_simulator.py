"""Search and matching by month, free entry and Nash bargaining: a world that is a function."""

import numpy as np

import emulator

BETA = 0.99 ** (1 / 3)  # discount factor of a month


@emulator.simulator(
    parameters={
        "leisure": {"low": 0.4, "high": 0.9, "meaning": "income of the unemployed, of output"},
        "bargaining": {"low": 0.3, "high": 0.7, "meaning": "share of workers in the surplus"},
        "matching": {"low": 0.4, "high": 0.7, "meaning": "elasticity of matches to unemployment"},
        "finding": {"low": 0.25, "high": 0.55, "meaning": "chance to find work in a month"},
        "losing": {"low": 0.02, "high": 0.05, "meaning": "chance to lose it in a month"},
        "rho": (0.9, 0.98),
        "sigma": {"low": 0.2, "high": 1.0, "unit": "percent"},
    },
    shocks={"productivity": {"size": "sigma", "process": ["rho"]}},
    observables={
        "unemployment": "percentage points",
        "vacancies": "percent",
        "tightness": "percent",
        "wage": "percent",
        "production": "percent",
    },
    frequency="month",
    horizon=36,
    linear=True,
)
def labour_market(theta, horizon=36):
    """The labour market by month"""
    leisure, gamma, eta, find, lose, rho, sigma = theta.T
    # The steady state: tightness is 1; then cost of a vacancy, value of a job, idle workers.
    cost = BETA * (1 - gamma) * (1 - leisure) / ((1 - BETA * (1 - lose)) / find + BETA * gamma)
    job, idle = cost / find, lose / (lose + find)
    wage = gamma * (1 + cost) + (1 - gamma) * leisure
    # Linear around it: tightness moves with productivity, unemployment a month later.
    slope = job * eta - BETA * rho * ((1 - lose) * job * eta - gamma * cost)
    p = sigma[:, None] * rho[:, None] ** np.arange(horizon + 1)
    tightness = (BETA * rho * (1 - gamma) / slope)[:, None] * p
    u = np.zeros_like(p)
    for h in range(horizon):
        hired = find * (1 - eta) * idle * tightness[:, h]
        u[:, h + 1] = (1 - lose - find) * u[:, h] - hired
    vacancies, production = tightness + u / idle[:, None], p - u / (1 - idle)[:, None]
    pay = (gamma / wage)[:, None] * (p + cost[:, None] * tightness)
    return np.stack([u, vacancies, tightness, pay, production], axis=-1)[:, None]
