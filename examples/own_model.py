# %% [markdown]
# # Your own `.mod` file
#
# A Dynare file becomes a world: responses in percent and annualised percentage points, solved for
# thousands of parameter
# vectors at once, beside the worlds that come with the package. Dynare is not needed. The file here
# is a New Keynesian model
# with quadratic costs of changing prices (Rotemberg 1982), written as its first-order conditions,
# not linearised.

# %%
from pathlib import Path

import emulator

MODEL = """
var C (long_name='consumption'), W (long_name='real wage'),
    Pi (long_name='gross inflation'), R (long_name='gross policy rate'),
    m (long_name='monetary policy');
varexo e_m (long_name='monetary tightening');
parameters beta sigma nu theta psi phi_pi rho_i;
beta = 0.99; sigma = 1.5; nu = 1; theta = 6; psi = 60; phi_pi = 1.5; rho_i = 0.7;

model;
  [name='Euler equation']   C^(-sigma) = beta*R*C(+1)^(-sigma)/Pi(+1);
  [name='labour supply']    W = C^(sigma + nu);
  [name='Phillips curve']   (Pi - 1)*Pi = beta*(C(+1)/C)^(1 - sigma)*(Pi(+1) - 1)*Pi(+1)
                                          + theta/psi*(W - (theta - 1)/theta);
  [name='Taylor rule']      log(beta*R) = rho_i*log(beta*R(-1)) + (1 - rho_i)*phi_pi*log(Pi) + m;
  m = 0.3*m(-1) + e_m;
end;

steady_state_model;
  Pi = 1;  R = 1/beta;  W = (theta - 1)/theta;  C = W^(1/(sigma + nu));  m = 0;
end;

shocks;
  var e_m; stderr 0.0025;
end;
stoch_simul(order=1, irf=20);
"""

# %% [markdown]
# Beside the file stands its *mapping*: what is observed, in which units, and which parameters vary
# over which ranges.
# The coefficients turn the model's own quantities into percent and annualised percentage points.

# %%
MAPPING = """
title: New Keynesian model with Rotemberg's costs
observables: {output: 100*log(C), inflation: 400*log(Pi), rate: 400*log(R)}
shocks:
  monetary: {variable: e_m, meaning: "tightening: the policy rate above its rule"}
parameters:
  sigma:  {low: 0.5, high: 4, role: preference, meaning: inverse elasticity of substitution}
  nu:     {low: 0.2, high: 4, role: preference, meaning: inverse elasticity of labour supply}
  psi:    {low: 10, high: 200, role: price_setting, meaning: cost of changing prices}
  phi_pi: {low: 1.1, high: 3, role: policy_rule, meaning: reaction of the rate to inflation}
  rho_i:  {low: 0, high: 0.95, role: policy_rule, meaning: smoothing of the rate}
  stderr_e_m: {low: 0.0005, high: 0.005, unit: quarterly rate, role: shock_size}
"""

Path("rotemberg.mod").write_text(MODEL)
Path("rotemberg.world.yaml").write_text(MAPPING)
mine = emulator.world("rotemberg.mod")
print(mine.spec.title, "-", ", ".join(mine.spec.parameter_names))

# %% [markdown]
# Ask it as any other world. The size of the shock is chosen by its effect, so that it means the
# same in every model:
# whatever raises the rate by 25 basis points in the first quarter.

# %%
asked = {"shocks": "monetary", "size": "25bp on rate", "horizon": 12}
flexible, sticky = (mine.irf(psi=psi, **asked) for psi in (20, 120))
print("\nOutput after a tightening, percent, by cost of changing prices")
print("quarter       " + "".join(f"{quarter:>8}" for quarter in range(5)))
for name, answer in (("psi = 20", flexible), ("psi = 120", sticky)):
    path = answer["irf"].sel(observable="output")[0, 0, :5].values
    print(f"{name:14}" + "".join(f"{value:8.3f}" for value in path))

# %% [markdown]
# A thousand draws of the prior are one call. Which parameter moves what? Sobol's indices say which
# share of the variance of a
# response over the prior is due to each parameter, with all its interactions (total order). The
# size of the shock is held, and given in
# its own unit: where a shock is sized by its effect, draws with hardly any effect would rule the
# variance.

# %%
many = mine.irf(mine.sample(1000, rng=0), **asked)
middle = (
    many["irf"]
    .sel(observable="output", horizon=0)
    .quantile([0.05, 0.5, 0.95], dim="draw")
    .values.ravel()
)
print("\nOutput on impact over the prior: {:.3f}, {:.3f}, {:.3f} (5, 50, 95 %)".format(*middle))

shares = mine.sensitivity(1024, shocks="monetary", horizons=[0, 4], stderr_e_m=0.0025)
table = (
    shares["total_order"]
    .sel(shock="monetary")
    .to_dataframe()["total_order"]
    .unstack(["observable", "horizon"])
)
print("\nShare of the variance due to each parameter (total order), on impact and after a year")
print(table[["output", "inflation"]].round(2).to_string())

# %% [markdown]
# Beside a world of the package, in one picture: the new model in lines, `nk` dashed.

# %%
sticky.responses.plot("own_model.png", beside=emulator.world("nk").irf(**asked))

# %% [markdown]
# On the command line the same file is `emulator worlds check rotemberg.mod`, `emulator irf
# rotemberg.mod --shock monetary` and
# `emulator compare --shock monetary --worlds rotemberg.mod,nk,sw07`. What is read and what is
# refused: [the page on `.mod` files](../docs/modfile.md).
