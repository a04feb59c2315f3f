"""A stranger's file with its mapping, which tests write into a folder."""

from pathlib import Path

MODEL = """
var y $\\hat y$ (long_name = 'output gap') pi i u;
varexo e m;
parameters sigma beta kappa phi rho;
sigma = 1; beta = 0.99; kappa = 0.1; phi = 1.5; rho = 0.5;
model(linear);
y = y(+1) - (i - pi(+1))/sigma + u;
pi = beta*pi(+1) + kappa*y;
i = phi*pi + m;
u = rho*u(-1) + e;
end;
shocks; var e; stderr 0.5; var m; stderr 0.25; end;
stoch_simul(order = 1);
"""
MAPPING = """
title: A stranger's model
observables: {output: y, inflation: 4*pi, rate: 4*i}
shocks:
  demand: {variable: e, meaning: demand}
  easing: {variable: m, sign: -1}
parameters:
  kappa: {prior: uniform, low: 0.02, high: 0.3, role: price_setting}
  phi: {prior: normal, mean: 1.5, sd: 0.2, low: 1.1, high: 2.5, role: policy_rule}
  rho: {prior: beta, mean: 0.5, sd: 0.15, role: persistence}
"""


def written(folder: Path, model: str = MODEL, mapping: str | bytes | None = MAPPING) -> Path:
    """The model as `stranger.mod`, with the mapping beside it."""
    path = folder / "stranger.mod"
    path.write_text(model)
    if mapping is not None:
        beside = folder / "stranger.world.yaml"
        beside.write_bytes(mapping if isinstance(mapping, bytes) else mapping.encode())
    return path
