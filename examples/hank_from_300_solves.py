# %% [markdown]
# # A HANK emulator from 300 solves
#
# A model with households that differ takes the better part of a second a solution, so that a
# hundred thousand training draws are out of reach. The way around is
# to teach a network on cheap worlds first and to fine-tune it on the few solves that one can
# afford. This script does the second part for `hank`, from the
# weights that ship. It needs the extra `[hank]`.
#
# **Read the score with care.** The weights that ship have already seen `hank` (their model card
# says how many draws), so that the score below does
# not show what 300 solves teach to a network that never saw a HANK model. The study that does,
# `python benchmarks/studies.py few-draws --families hank`, teaches
# on all other families first. Its table is on the [leaderboard](../LEADERBOARD.md): from 300 draws,
# fine-tuning leaves two thirds of the error of the same network
# trained on these draws from nothing. Worlds that have no near relative among those taught gain
# nothing. So for a model of your own try it without `init_from` as
# well, and keep what does better on `val`.

# %%
from pathlib import Path

import emulator
from emulator.data import Fractions, generate_dataset
from emulator.eval import Request, evaluate_checkpoint
from emulator.training import TrainingConfig, train

DRAWS = 300
HELD_OUT = 0.05
STEPS = 200

# %% [markdown]
# **Solve.** Draws of the prior, solved on one core and kept in a data set that resumes where it was
# interrupted. `HELD_OUT` is the share of each of the
# two regions that no network trains on.

# %%
fractions = Fractions(test_extrapolation_slice=HELD_OUT, test_extrapolation_corner=HELD_OUT)
data = generate_dataset(
    "hank_data", ["hank"], DRAWS, seed=3, periods=0, verdicts=0, fractions=fractions
)
print("Draws by split:", {split: len(rows) for split, rows in data.splits("hank").items()})

# %% [markdown]
# **Fine-tune.** `init_from` takes over every weight that fits in name and shape; scales come from
# the new draws alone. The rate is a tenth of what a network
# starts with from nothing.

# %%
config = TrainingConfig(
    dataset="hank_data",
    worlds=["hank"],
    model="UniversalEmulator",
    model_options={"width": 128, "layers": 2, "shock_width": 64, "states": 9},
    init_from="universal",
    optimizer="soap",
    lr=1e-3,
    lr_end=1e-2,
    weight_decay=0.0,
    ema_decay=0.97,
    lambda_smooth=0.0,
    sample_weighting="relative",
    world_sampling=1000.0,
    steps_per_epoch=STEPS // 4,
    epochs=4,
    warmup_epochs=1,
    patience=4,
    min_delta=0.0,
    batch_size=min(DRAWS // 2, 64),
    checkpoint_dir="hank_run",
    seed=3,
)
print(
    "Validation loss by epoch (normalised):",
    ", ".join(f"{loss:.3g}" for loss in train(config, overwrite=True).history["val_loss"]),
)

# %% [markdown]
# **Score** on the draws of `test`, which neither fine-tuning nor the weights that ship have seen:
# their random streams have other seeds.

# %%
print("\nMean NRMSE on test")
for label, network in (
    ("as it ships", Path("universal")),
    ("fine-tuned", Path("hank_run/best.pt")),
):
    found = evaluate_checkpoint(
        Request(
            network, Path("hank_data"), ("hank",), ("test",), bootstrap=0, allow_other_data=True
        )
    ).scores
    rows = found[(found["metric"] == "nrmse") & (found["shock"] == "all")].set_index("predictor")[
        "value"
    ]
    print(f"{label:18}{rows['network']:.3f}")
for predictor in ("linear_regression", "nearest_neighbour"):
    print(f"{predictor.replace('_', ' '):18}{rows[predictor]:.3f}")

# %% [markdown]
# **Ask.** A tightening in an economy with little liquidity, beside the exact solution (dashed).
# This network has no error band: `emulator calibrate` fits one,
# and wants more validation draws than 300 solves leave.

# %%
asked = {"shocks": "monetary", "size": "25bp", "horizon": 20, "debt": 3.0}
exact = emulator.world("hank").irf(**asked)
answer = emulator.load("hank_run").irf("hank", **asked)
answer.responses.plot("hank_from_300_solves.png", beside=exact)
print("\nOutput in percent, quarters 0 to 3, little liquidity")
for label, found in (("network", answer), ("exact", exact)):
    print(
        f"{label:18}"
        + "".join(
            f"{value:8.3f}" for value in found["irf"].sel(observable="output")[0, 0, :4].values
        )
    )
