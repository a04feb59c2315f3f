# %% [markdown]
# # Train on your world
#
# The network that ships knows eight worlds. For a model of your own you teach it: draw parameters,
# solve each draw exactly, train, calibrate bands and flags, and score on draws that it never saw.
# Training starts from the weights that ship, which know from other worlds what the role and the
# name of a parameter mean.

# %%
from pathlib import Path

import emulator
from emulator.data import generate_dataset
from emulator.eval import Request, evaluate_checkpoint
from emulator.training import TrainingConfig, train
from emulator.training.calibrate import calibrate_checkpoint

WORLD = next(
    path for path in (Path("examples/hybrid_nk.mod"), Path("hybrid_nk.mod")) if path.exists()
)
DRAWS = 2_000
STEPS = 300

# %% [markdown]
# **Draw and solve.** Two regions of the prior are kept out of training, to see later how the
# network does beyond what it knows.

# %%
data = generate_dataset("own_data", [str(WORLD)], DRAWS, seed=1, periods=0)
(name,) = data.worlds
print("Draws by split:", {split: len(rows) for split, rows in data.splits(name).items()})

# %% [markdown]
# **Train.** The settings are those of the network that ships (`configs/universal_A.yaml`), with
# fewer and smaller steps: first on the impact quarters, then on all. The published network saw
# 100,000 draws of most worlds and took 24,000 steps.

# %%
config = TrainingConfig(
    dataset="own_data",
    worlds=[name],
    model="UniversalEmulator",
    model_options={"width": 128, "layers": 2, "shock_width": 64, "states": 9},
    init_from="universal",
    optimizer="soap",
    lr=1e-2,
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
    curriculum=[3, 6, 12],
    curriculum_share=0.3,
    batch_size=128,
    checkpoint_dir="own_run",
    seed=1,
)
history = train(config, overwrite=True).history
print(
    "Validation loss by epoch (normalised):",
    ", ".join(f"{loss:.2e}" for loss in history["val_loss"]),
)

# %% [markdown]
# **Calibrate and score.** Calibration fits an error band, flags and a classifier of determinacy on
# the validation draws. The score is on `test`, beside predictors that cost nothing. NRMSE is the
# root mean square error in standard deviations of the training split.

# %%
checkpoint, _ = calibrate_checkpoint(Path("own_run/best.pt"), Path("own_data"))
request = Request(checkpoint, Path("own_data"), splits=("test",), bootstrap=0)
scores = evaluate_checkpoint(request).scores
rows = scores[(scores["metric"] == "nrmse") & (scores["shock"] == "all")]
print("\nMean NRMSE on test")
print(rows[["predictor", "value"]].to_string(index=False, float_format="{:.3f}".format))

# %% [markdown]
# **Ask.** The run's folder is a network like any other. The solver stands beside it.

# %%
question = {"shock": "monetary", "size": "25bp", "horizon": 20, "h": 0.7}
answer = emulator.load("own_run")[name].irf(**question)
answer.responses.plot("train_on_your_world.png", beside=emulator.world(WORLD).irf(**question))
print("\nFlagged:", bool(answer["flagged"][0]), " in range:", bool(answer["in_range"][0]))
