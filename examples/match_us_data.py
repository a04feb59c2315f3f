# %% [markdown]
# # Match US data
#
# What did a monetary tightening do in the United States, and with which parameters does a model do
# the same? The target is a VAR on quarterly data that
# come with statsmodels (1965 to 1995, as in Christiano, Eichenbaum and Evans 2005), identified
# recursively, with the bootstrap covariance of its responses.
# This needs the extra `[estimation]`.

# %%
import warnings

import emulator
from emulator.estimation import Budget, draw_fit, estimate, fit_table, us_monetary

REPLICATIONS = 400
PARTICLES = 200

# %% [markdown]
# **The target.** Every response has its standard error; entries that the identification fixes (no
# response of output and inflation within the quarter) are
# not matched. The full number of replications is 2,000.

# %%
target = us_monetary(replications=REPLICATIONS)
print(target.source)
print("\nquarter   output (se)      inflation (se)   rate (se)")
for quarter in (0, 2, 4, 8, 12, 20):
    print(
        f"{quarter:7}"
        + "".join(
            f"   {value:6.2f} ({error:.2f})"
            for value, error in zip(target.irf[quarter], target.sd[quarter], strict=True)
        )
    )

# %% [markdown]
# **Estimate.** A point by gradients from several starts, then the posterior by sequential Monte
# Carlo, all on the network's answers; at the end the
# exact solver weighs draws of the posterior again. A small budget is announced as such: what speaks
# against relying on a result stands in `complaints`.
# The default budget, `Budget()`, is four chains of 1,000 draws.

# %%
network = emulator.load("universal")
budget = Budget(starts=3, chains=2, draws=PARTICLES, rescored=PARTICLES)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the same complaints are printed below
    found = {
        world: estimate(target, world, emulator=network, budget=budget) for world in ("nk", "zlb")
    }

# %% [markdown]
# **Compare.** Distance is per matched entry, in squared standard errors. The effective share says
# how much the network's error
# matters: near one, not at all.

# %%
table = fit_table(list(found.values()))
print(
    "\n"
    + table[
        ["parameters", "distance_per_entry", "log_marginal_likelihood", "effective_share", "r_hat"]
    ]
    .round(2)
    .to_string()
)
for world, result in found.items():
    for complaint in result.complaints:
        print(f"{world}: {complaint}")

# %% [markdown]
# Parameters of `nk`: the point, the posterior's median with 5 and 95 % quantiles, and the prior's
# range. A response to one shock does not tell a
# persistent shock from a smooth rule, so that some of these are hardly narrower than the prior: see
# [the page on estimation](../docs/estimation.md).

# %%
print(
    "\n" + found["nk"].table()[["point", "q05", "q50", "q95", "low", "high"]].round(3).to_string()
)
draw_fit(list(found.values()), "match_us_data.png")
