"""Trust: bands that cover what they promise, corners that no draw reached, probabilities of a
solution that are right.
"""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.special import ndtri
from scipy.stats import chi2, rankdata

from emulator.errors import CheckpointError, ModelError
from emulator.models import checkpoint as checkpoints
from emulator.models import load
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.models.check import _statistics, _theta
from emulator.models.trust import Evidence, Trust, judge
from emulator.models.trust.band import MANY, ErrorBand, conformal_quantile
from emulator.models.trust.determinacy import Determinacy
from emulator.models.trust.support import EmptyCorners, Remoteness
from emulator.spec import Status
from emulator.worlds import get_world

NK = get_world("nk").spec
SCALE = torch.ones(2, 3)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def noisy(n, seed, horizon=4):
    """Standardised parameters (n, 5), and errors whose size depends a hundredfold on the first of
    them; one response is exact.
    """
    z = torch.randn(n, 5, generator=generator(seed))
    error = (
        torch.randn(n, 2, horizon + 1, 3, generator=generator(seed + 1))
        * (2.3 * z[:, 0]).exp()[:, None, None, None]
    )
    error[:, 1, :, 2] = 0.0
    return z, error


@pytest.mark.fast
def test_the_quantile_is_the_finite_sample_one():
    score = torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0])
    assert (
        conformal_quantile(score[:, None], 0.9).item() == 9.0
    )  # ceil(10 x 0.9) = the ninth of nine
    assert conformal_quantile(score[:, None], 0.5).item() == 5.0
    with pytest.raises(ModelError, match="at least 9 draws"):
        conformal_quantile(score[:8, None], 0.9)


@pytest.mark.parametrize("n", [150, MANY + 400])
def test_the_band_covers_and_follows_the_error(n):
    band = ErrorBand.fitted(*noisy(n, 0), SCALE, generator())
    assert band.options["by_block"] == (n >= MANY)
    z, error = noisy(4000, 10)
    width = band(z)
    alive = error.abs().amax((0, 2)) > 0
    covered = (error.abs() <= width).float().mean(2)[:, alive].mean()
    assert 0.87 <= covered <= 0.93
    assert width.shape == error.shape
    assert not width[:, 1, :, 2].any(), "an exact response has a band of no width"
    assert width[z[:, 0] > 1, 0].mean() > 10 * width[z[:, 0] < -1, 0].mean()


def test_where_errors_do_not_depend_on_theta_the_band_does_not_pretend_so():
    z = torch.randn(1500, 5, generator=generator(1))
    error = torch.randn(1500, 2, 5, 3, generator=generator(2))
    width = ErrorBand.fitted(z, error, SCALE, generator())(z)
    assert float((width.std(0) / width.mean(0)).max()) < 0.15
    torch.testing.assert_close(
        width.mean(), torch.tensor(1.645), rtol=0.06, atol=0
    )  # 90 % of a normal


@pytest.mark.fast
def test_the_empty_corner_is_found_and_no_other():
    theta = torch.rand(4000, 6, generator=generator(3))
    kept = theta[~((theta[:, 1] > 0.8) & (theta[:, 4] < 0.25))]
    kept[:, 5] = 0.5  # never varied
    corners = EmptyCorners.fitted(kept)
    assert corners.column_Q2.tolist() == [[1, 4]]
    assert corners.sign_Q2.tolist() == [[1.0, -1.0]]
    assert not corners(kept).any()
    inside = torch.tensor([[0.5, 0.95, 0.5, 0.5, 0.1, 0.5], [0.5, 0.95, 0.5, 0.5, 0.5, 0.5]])
    assert corners(inside).tolist() == [[False, True, False, False, True, False], [False] * 6]


@pytest.mark.fast
def test_ties_make_no_corners():
    theta = torch.randint(0, 4, (3000, 3), generator=generator(4)).float()
    assert not len(EmptyCorners.fitted(theta).edge_Q2)
    gone = theta[~((theta[:, 0] == 3) & (theta[:, 2] >= 2))]
    corners = EmptyCorners.fitted(gone)
    assert corners.column_Q2.tolist() == [[0, 2]]
    assert corners(torch.tensor([[3.0, 0.0, 2.0], [3.0, 0.0, 1.0], [2.0, 0.0, 3.0]])).any(
        1
    ).tolist() == [True, False, False]


@pytest.mark.fast
def test_remoteness_is_the_sum_of_squared_normal_scores():
    theta = torch.rand(4000, 12, generator=generator(5)).pow(
        3
    )  # skewed, and independent: chi-squared with 12 degrees of freedom
    remoteness = Remoteness.fitted(theta)
    fresh = remoteness(torch.rand(20000, 12, generator=generator(6)).pow(3)).double()
    for level in (0.1, 0.5, 0.9, 0.99):
        assert float(fresh.quantile(level)) == pytest.approx(chi2.ppf(level, 12), rel=0.03)
    exact = ndtri((rankdata(theta[:, 0]) - 0.5) / 4000) ** 2
    np.testing.assert_allclose(
        Remoteness.fitted(theta[:, :1])(theta[:, :1]), exact, rtol=0.05, atol=0.05
    )


@pytest.mark.fast
def test_many_parameters_in_their_tails_are_beyond_every_draw_although_each_is_in_range():
    theta = torch.randn(3000, 20, generator=generator(7))
    remoteness = Remoteness.fitted(theta)
    assert not remoteness.beyond(theta).any()
    assert remoteness.beyond(theta.quantile(0.98, dim=0)[None]).all()
    one = theta.median(0).values[None].clone()
    one[0, 3] = 100.0
    assert not remoteness.beyond(one).any(), "one parameter out of range is for the ranges to say"


@pytest.mark.fast
def test_parameters_that_are_constant_or_switches_are_not_remote():
    theta = torch.stack(
        [torch.full((1000,), 0.5), torch.randint(0, 2, (1000,), generator=generator(8)).float()], 1
    )
    remoteness = Remoteness.fitted(theta)
    assert remoteness(theta).max() < 3.0
    assert remoteness(torch.tensor([[0.5, 0.5]])).max() < 1e-2
    assert not remoteness.beyond(theta).any()
    assert torch.isfinite(remoteness(torch.tensor([[9.0, 0.5]]))).all()


@pytest.mark.fast
def test_judging_probabilities():
    status = torch.tensor([0, 0, 1, 2], dtype=torch.uint8)
    scores = judge(torch.tensor([0.9, 0.4, 0.4, 0.1]), status)
    assert scores.auc == pytest.approx(3.5 / 4)  # one tie
    assert scores.accuracy == 0.75
    assert scores.brier == pytest.approx((0.01 + 0.36 + 0.16 + 0.01) / 4)
    assert judge(torch.tensor([0.9]), status[:1]).auc is None


def test_determinacy_is_learnt_from_verdicts():
    world = get_world("nk")
    theta = world.propose(3000, np.random.default_rng(0)).astype(np.float32)
    status = torch.from_numpy(world.status(theta.astype(np.float64)))
    theta = torch.from_numpy(theta)
    z = (theta - theta.mean(0)) / theta.std(0)
    rows = Trust.held_out(len(z))
    assert (rows.start, rows.stop) == (2400, 3000)
    classifier = Determinacy.fitted(z[: rows.start], status[: rows.start] == Status.OK, generator())
    scores = judge(classifier(z[rows]), status[rows])
    share = float((status[rows] == Status.OK).float().mean())
    assert scores.auc > 0.97
    assert scores.brier < 0.5 * share * (1 - share), "a constant probability does as well"


@pytest.mark.fast
def test_where_every_draw_has_a_solution_the_probability_is_constant():
    classifier = Determinacy.fitted(
        torch.randn(98, 4), torch.ones(98, dtype=torch.bool), generator()
    )
    probability = classifier(100 * torch.randn(5, 4))
    torch.testing.assert_close(probability, torch.full((5,), 0.99))


@pytest.fixture(scope="module")
def evidence():
    """What a network of nk might have done, with verdicts: the first parameter says whether there
    is a solution.
    """
    theta = _theta(NK, 1200)
    middle = (theta[:, 0] - NK.low[0]) / (NK.high[0] - NK.low[0])
    error = (
        torch.randn(1200, 3, 6, 3, generator=generator(5)) * (4 * middle).exp()[:, None, None, None]
    )
    return Evidence(
        theta, theta, error.float(), theta, torch.where(middle > 0.3, 0, 1).to(torch.uint8)
    )


@pytest.fixture(scope="module")
def trust(evidence):
    return Trust.fitted([("nk", evidence)], {"nk": _statistics(NK)})


def test_flags_have_their_reasons(trust, evidence):
    theta = torch.tensor((NK.low + NK.high) / 2).float().repeat(3, 1)
    theta[1, 2] = NK.high[2] + 1
    theta[2, 0] = NK.low[0]
    assert trust.flagged(theta, "nk").tolist() == [False, True, True]
    assert trust.out_of_range(theta, "nk").nonzero().tolist() == [[1, 2]]
    assert trust.determinacy(theta, "nk")[2] < 0.5 < trust.determinacy(theta, "nk")[0]
    wide = trust.relative_width(evidence.theta, "nk")
    assert trust.flagged(evidence.theta[wide.argmax()][None], "nk").all()
    assert trust.half_width(theta, "nk").shape == (3, 3, 6, 3)


def test_padding_and_precision_change_nothing(trust, evidence):
    theta = evidence.theta[:20]
    padded = torch.cat([theta, torch.full((20, 4), 1e6)], 1).double()
    for question in (
        trust.half_width,
        trust.determinacy,
        trust.out_of_range,
        trust.flagged,
        trust.in_empty_corner,
        trust.far_out,
    ):
        assert torch.equal(question(padded, "nk"), question(theta, "nk"))


def test_the_same_seed_gives_the_same_numbers(trust, evidence):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = Trust.fitted([("nk", evidence)], {"nk": _statistics(NK)})
    assert torch.equal(torch.get_rng_state(), before)
    assert all(
        torch.equal(a, b)
        for a, b in zip(trust.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_what_does_not_fit_is_refused(trust, evidence):
    theta = evidence.theta[:2]
    for question in (trust.half_width, trust.determinacy, trust.flagged):
        with pytest.raises(ModelError, match="lss"):
            question(theta, "lss")
        with pytest.raises(ModelError, match="shape"):
            question(theta[:, 1:], "nk")
    silent = Trust.fitted(
        [("nk", evidence._replace(verdict_theta=None, status=None))], {"nk": _statistics(NK)}
    )
    assert not silent.judges("nk")
    assert silent.flagged(theta, "nk").shape == (2,)
    with pytest.raises(ModelError, match="without verdicts"):
        silent.determinacy(theta, "nk")


def test_it_travels_with_the_checkpoint(trust, evidence, tmp_path):
    torch.manual_seed(0)
    model = PerWorldMLPBaseline.from_specs({"nk": NK}, 5, hidden_dims=[8])
    model.bind({"nk": _statistics(NK)}, {"nk": NK})
    plain = checkpoints.Checkpoint(
        checkpoints.name_of(model),
        model.options,
        model.state_dict(),
        {"nk": NK},
        {"nk": _statistics(NK)},
        {},
        "f" * 64,
        1,
        0.5,
        5,
    )
    checkpoints.save(tmp_path / "best.pt", plain)
    assert load(tmp_path / "best.pt").trust is None
    checkpoints.save(tmp_path / "calibrated.pt", dataclasses.replace(plain, trust=trust.content))
    again = load(tmp_path / "calibrated.pt")
    theta = evidence.theta[:10]
    assert torch.equal(again.network(theta, "nk"), model(theta, "nk"))
    assert torch.equal(again.trust.half_width(theta, "nk"), trust.half_width(theta, "nk"))
    assert torch.equal(again.trust.determinacy(theta, "nk"), trust.determinacy(theta, "nk"))
    assert torch.equal(again.trust.flagged(theta, "nk"), trust.flagged(theta, "nk"))
    assert not any(p.requires_grad for p in again.trust.parameters())
    checkpoints.save(
        tmp_path / "bad.pt",
        dataclasses.replace(plain, trust={"options": {}, "weights": trust.content["weights"]}),
    )
    with pytest.raises(CheckpointError, match="emulator calibrate"):
        load(tmp_path / "bad.pt")
