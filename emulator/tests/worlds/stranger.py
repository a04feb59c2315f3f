"""A small `.mod` file of nobody's, as a world."""

from pathlib import Path

MOD = """
var x pi i; varexo e_m; parameters kappa; kappa = 0.1;
model(linear);
x = x(+1) - (i - pi(+1)); pi = 0.99*pi(+1) + kappa*x; i = 1.5*pi + 0.5*i(-1) + e_m;
end;
shocks; var e_m; stderr 0.25; end;
"""
MAPPING = """
observables: {output: x, inflation: 4*pi, rate: 4*i}
shocks: {monetary: e_m}
parameters:
  kappa: {low: 0.05, high: 0.3, role: price_setting}
  stderr_e_m: {low: 0.1, high: 0.5, role: shock_size}
"""


def write_stranger(folder: Path) -> Path:
    """The file `mine.mod` and its mapping, in a folder."""
    (folder / "mine.world.yaml").write_text(MAPPING)
    path = folder / "mine.mod"
    path.write_text(MOD)
    return path
