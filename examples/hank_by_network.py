# %% [markdown]
# # A HANK model by its network
#
# In the one-asset HANK model of Auclert, Bardóczy, Rognlie and Straub (2021), households differ in
# skill and wealth. Its solver takes the better part of a second for a parameter vector. One point
# is no problem; a sensitivity analysis of thousands of points is. The network that ships answers
# for `hank` in microseconds. Here it does the many points, and the solver checks a few. The solver
# needs the extra `[hank]`.

# %%
import time

import numpy as np

import emulator

network = emulator.load("universal")["hank"]
solver = emulator.world("hank")
print(network)

# %% [markdown]
# **Deficits and the multiplier.** The government buys more. What is the effect on output if taxes
# pay at once (`rho_b = 0`), and if debt pays and taxes follow slowly (`rho_b = 0.9`)? In a model
# with a representative household who pays when is irrelevant; here it is not. The solver stands
# beside the network, dashed.

# %%
question = {"shock": "fiscal", "horizon": 20, "rho_b": [0.0, 0.6, 0.9]}
answer = network.irf(**question)
exact = solver.irf(**question)
answer.responses.plot("deficits.png", beside=exact)

print("Output after a rise of purchases, percent, by persistence of public debt")
print("quarter                  " + "".join(f"{quarter:>8}" for quarter in (0, 1, 2, 4, 8)))
for label, data in (("network", answer), ("solver", exact)):
    for k, rho_b in enumerate(question["rho_b"]):
        path = data["irf"].sel(observable="output")[k, 0, [0, 1, 2, 4, 8]].values
        print(f"{label:8} rho_b = {rho_b:<8}" + "".join(f"{value:8.3f}" for value in path))

# %% [markdown]
# **Which parameters matter?** Sobol's indices, total order: the share of the variance of a response
# over the ranges of the prior that is due to each parameter, with all its interactions. The size
# of the shock is held. They take 1,024 times 21 parameter vectors.

# %%
POINTS = 1024
began = time.perf_counter()
shares = network.sensitivity(POINTS, shock="fiscal", horizons=[0, 4], sigma_g=0.5)
seconds = time.perf_counter() - began
table = shares["total_order"].sel(shock="fiscal", observable="output").to_pandas().round(2)
table.columns = ["on impact", "after a year"]
print("Variance of output's response to purchases, share due to each parameter")
print(table[table.max(axis=1) >= 0.05].sort_values("on impact", ascending=False).to_string())
print(f"flagged by the network: {shares.attrs['flagged']:.0%} of the parameter vectors")

# %% [markdown]
# **Is that true?** Six parameter vectors from the same ranges, solved exactly. The error is that of
# the whole response, relative to its largest value. The band was made to hold 90 % of the true
# responses of the prior's draws.

# %%
rng = np.random.default_rng(5)
low, high = (
    np.array([getattr(p, end) for p in network.spec.parameters]) for end in ("low", "high")
)
theta = rng.uniform(low, high, (6, len(low)))
guess = network.irf(theta, shock="fiscal", horizon=20, on_failure="nan")
began = time.perf_counter()
truth = solver.irf(theta, shock="fiscal", horizon=20, on_failure="nan")
each = (time.perf_counter() - began) / len(theta)

error = abs(guess["irf"] - truth["irf"]).max("horizon") / abs(truth["irf"]).max("horizon")
inside = (truth["irf"] >= guess["lower"]) & (truth["irf"] <= guess["upper"])
print("draw   error in output   inflation   rate   flagged")
for k in range(len(theta)):
    numbers = "   ".join(f"{value:9.1%}" for value in error[k, 0].values)
    print(f"{k:4}   {numbers}   {bool(guess['flagged'][k])}")
print(f"inside the band: {float(inside.mean()):.0%} of the entries")
count = POINTS * (len(low) - 1 + 2)
print(f"\nThe network took {seconds:.0f} s for {count:,} parameter vectors with their flags.")
print(f"The solver takes {each:.2f} s for one: {each * count / 3600:.1f} hours for all.")

# %% [markdown]
# The shares are good to the network's error of some per cent, which is what such a table needs. For
# a number in a paper ask the solver at that point. The network knows least about the parameters
# that move responses least: its derivatives by `debt`, `sd_e` and `r` are off by half
# ([Should I trust this number?](../docs/trust.md)).
#
# Can a network learn a HANK model from a few hundred solves? That is a research question, and the
# [leaderboard](../LEADERBOARD.md) has what was measured ("few draws").
