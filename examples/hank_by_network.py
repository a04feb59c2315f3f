# %% [markdown]
# # A HANK model by its network
#
# In the one-asset HANK model of Auclert, Bardóczy, Rognlie and Straub (2021), households differ in
# skill and wealth. Its solver takes the better part of a second for a parameter vector. One point
# is no problem; a sensitivity analysis of thousands of points is. The network that ships answers
# thousands in a second. Here it does the many points, and the solver checks a few. The solver needs
# the extra `[hank]`.

# %%
import time

import numpy as np

import emulator

network = emulator.load("universal")["hank"]
solver = emulator.world("hank")
print(network)

# %% [markdown]
# **Sticky prices and a tightening.** How does the effect of a monetary shock depend on the slope of
# the Phillips curve? The solver stands beside the network, dashed. These three draws cost the
# solver little: the households' problem is the same in each, and is solved once.

# %%
question = {"shock": "monetary", "horizon": 16, "kappa": [0.05, 0.1, 0.2]}
answer = network.irf(**question)
exact = solver.irf(**question)
answer.responses.plot("hank_tightening.png", beside=exact)

print("Output after a tightening of one standard deviation, percent")
print("quarter                " + "".join(f"{quarter:>8}" for quarter in (0, 1, 2, 4, 8)))
for label, data in (("network", answer), ("solver", exact)):
    for k, kappa in enumerate(question["kappa"]):
        path = data["irf"].sel(observable="output")[k, 0, [0, 1, 2, 4, 8]].values
        print(f"{label:8} kappa = {kappa:<6}" + "".join(f"{value:8.3f}" for value in path))

# %% [markdown]
# **Which parameters matter?** Sobol's indices, total order: the share of the variance of a response
# over the ranges of the prior that is due to each parameter, with all its interactions. The size
# of the shock is held. They take 1,024 times 21 parameter vectors.

# %%
POINTS = 1024
began = time.perf_counter()
shares = network.sensitivity(POINTS, shock="monetary", horizons=[0, 4], sigma_m=0.25)
seconds = time.perf_counter() - began
table = shares["total_order"].sel(shock="monetary", observable="output").to_pandas().round(2)
table.columns = ["on impact", "after a year"]
print("Variance of output's response to a tightening, share due to each parameter")
print(table[table.max(axis=1) >= 0.05].sort_values("on impact", ascending=False).to_string())
print(f"flagged by the network: {shares.attrs['flagged']:.0%} of the parameter vectors")

# %% [markdown]
# **Is that true?** Eight parameter vectors from the same ranges, solved exactly. The error is the
# largest of the whole response, relative to its peak.

# %%
rng = np.random.default_rng(1)
low, high = (
    np.array([getattr(p, end) for p in network.spec.parameters]) for end in ("low", "high")
)
theta = rng.uniform(low, high, (8, len(low)))
guess = network.irf(theta, shock="monetary", horizon=20, on_failure="nan")
began = time.perf_counter()
truth = solver.irf(theta, shock="monetary", horizon=20, on_failure="nan")
each = (time.perf_counter() - began) / len(theta)

error = abs(guess["irf"] - truth["irf"]).max("horizon") / abs(truth["irf"]).max("horizon")
inside = (truth["irf"] >= guess["lower"]) & (truth["irf"] <= guess["upper"])
print("Error:     output   inflation        rate   flagged")
for k in range(len(theta)):
    numbers = "   ".join(f"{value:9.1%}" for value in error[k, 0].values)
    print(f"draw {k}  {numbers}   {bool(guess['flagged'][k])}")
print(f"inside the 90 % band: {float(inside.mean()):.0%} of the entries")
count = POINTS * (len(low) - 1 + 2)
print(f"\nThe network took {seconds:.0f} s for {count:,} parameter vectors with their flags.")
print(f"The solver takes {each:.2f} s for one: {each * count / 3600:.1f} hours for all.")

# %% [markdown]
# The shares are good to the network's error of a few per cent, which is what such a table needs.
# For a number in a paper ask the solver at that point, or with `fallback="exact"` wherever the
# network flags. The network knows least about what moves responses least: its derivatives by
# `debt`, `sd_e` and `r` are off by half, and it cannot rank policies whose effects differ by a per
# cent or two ([Should I trust this number?](../docs/trust.md)).
#
# Can a network learn a HANK model from a few hundred solves? That is a research question, and the
# [leaderboard](../LEADERBOARD.md) has what was measured ("few draws").
