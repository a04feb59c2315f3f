# %% [markdown]
# # Your own `.mod` file
#
# A Dynare file is an economy that answers questions: responses in its own variables at once, and
# with a mapping beside it responses in percent and annualised percentage points, for thousands of
# parameter vectors in one call, beside the models of the package. Dynare is not needed.
#
# The file here is a New Keynesian model with quadratic costs of changing prices (Rotemberg 1982).
# It is written as first-order conditions, not linearised.

# %%
import shutil
from pathlib import Path

import emulator

HERE = Path("examples") if Path("examples").exists() else Path()
MODEL = shutil.copy(HERE / "rotemberg.mod", "my.mod")
print(Path(MODEL).read_text())

# %% [markdown]
# **As it is.** The variables are the file's own: consumption and gross rates, in levels, so that
# 0.001 of `Pi` are 0.1 percent a quarter.

# %%
model = emulator.world("my.mod")
answer = model.irf(psi=[20, 60, 120], horizon=12)
answer.responses.plot("own_variables.png", observables=["C", "Pi", "R"])
print(answer["irf"].sel(shock="e_m", observable="C")[:, :5].values.round(4))

# %% [markdown]
# **With a mapping.** `my.world.yaml` beside the file says what is output, inflation and the rate,
# in common units, and which parameters vary over which ranges. The command
# `emulator irf my.mod --write-mapping` proposes one. Now the model stands beside the others,
# and has a prior to draw from.

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
Path("my.world.yaml").write_text(MAPPING)
mine = emulator.world("my.mod")
print(mine)

# %% [markdown]
# The size of the shock can be chosen by its effect, so that it means the same in every model:
# whatever raises the rate by 25 basis points in the first quarter. The textbook model `nk` stands
# beside it, dashed.

# %%
question = {"shock": "monetary", "size": "25bp on rate", "horizon": 12}
sticky = mine.irf(psi=120, **question)
sticky.responses.plot("own_model.png", beside=emulator.world("nk").irf(**question))
print("output, percent:", sticky["irf"].sel(observable="output")[0, 0, :5].values.round(3))

# %% [markdown]
# **A thousand draws of the prior** are one call. The shock is one standard deviation here: at some
# draws a tightening lowers the rate on impact, since output and inflation fall so much, and a size
# "25bp on rate" is refused there.

# %%
many = mine.irf(mine.sample(1000, seed=0), shock="monetary", horizon=12)
on_impact = many["irf"].sel(observable="output", horizon=0)
print("output on impact, 5, 50, 95 %:", on_impact.quantile([0.05, 0.5, 0.95]).values.round(3))
many.responses.plot("over_the_prior.png")

# %% [markdown]
# **Which parameter moves what?** Sobol's indices, total order: the share of the variance of a
# response over the prior that is due to each parameter, with all its interactions. The size of the
# shock is held, in its own unit.

# %%
shares = mine.sensitivity(1024, shock="monetary", horizons=[0, 4], stderr_e_m=0.0025)
table = (
    shares["total_order"]
    .sel(shock="monetary")
    .to_dataframe()["total_order"]
    .unstack(["observable", "horizon"])
)
print(table[["output", "inflation"]].round(2).to_string())

# %% [markdown]
# On the command line the same file is `emulator irf my.mod --shock monetary`,
# `emulator worlds check my.mod` and `emulator compare --shock monetary --world my.mod,nk,sw07`.
# What is read and what is refused: [the page on `.mod` files](../docs/modfile.md).
