"""Where posterior and marginal likelihood are known in closed form, every method has to find them,
from every start; and a chain that the solver corrects has to find them from a wrong network.
"""

import numpy as np
import pytest
from scipy.special import expit

from emulator.errors import NoSolutionError
from emulator.estimation.full_information.exactly import reweighted
from emulator.estimation.full_information.harmonic import harmonic_mean
from emulator.estimation.full_information.ledger import Stages
from emulator.estimation.full_information.mode import find_mode
from emulator.estimation.full_information.start import AroundModes
from emulator.estimation.moves import kinds_for
from emulator.estimation.smc import FromPrior, Moves, run_smc
from emulator.tests.estimation.full_information.regression import N, density, known

DRAWS = 600


@pytest.fixture(scope="module")
def mode():
    return find_mode(density(), 3, np.random.default_rng(0))


def run(begin, seed=0, ledger=None, of=None):
    moves = Moves(kinds_for(DRAWS, N), adaptive=True)
    rng = np.random.default_rng(seed)
    return run_smc(of or density(), DRAWS, rng, start=begin, moves=moves, ledger=ledger)


@pytest.mark.fast
def test_mode_and_laplace_are_those_of_the_normal_posterior(mode):
    mean, covariance, evidence = known()
    np.testing.assert_allclose(mode.values, mean, atol=1e-4)
    np.testing.assert_allclose(mode.sd, np.sqrt(np.diag(covariance)), rtol=1e-3)
    assert mode.laplace == pytest.approx(evidence, abs=1e-3)
    assert mode.agreeing == 3
    assert mode.at_bound == ()


@pytest.mark.fast
@pytest.mark.parametrize("begin", ["mode", "prior"])
def test_every_start_leads_to_the_known_posterior_and_its_evidence(mode, begin):
    particles = run(AroundModes(mode.peaks) if begin == "mode" else FromPrior())
    mean, covariance, evidence = known()
    values = density().prior.values(expit(particles.z))
    assert particles.log_evidence == pytest.approx(evidence, abs=0.25)
    sd = np.sqrt(np.diag(covariance))
    assert (abs(values.mean(axis=0) - mean) < 4 * sd / np.sqrt(DRAWS / 2)).all()
    np.testing.assert_allclose(values.std(axis=0), sd, rtol=0.12)
    harmonic = harmonic_mean(particles.z, particles.parts.total)
    assert harmonic == pytest.approx(evidence, abs=0.1)


@pytest.mark.fast
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_an_interrupted_run_goes_on_from_its_last_stage_to_the_same_draws(tmp_path, stage):
    whole = run(FromPrior())
    ledger = Stages(tmp_path, "same").run(0)

    class Killed(Exception):
        pass

    class Dies:
        saved = 0

        def load(self, rng):
            return ledger.load(rng)

        def save(self, now, rng):
            if self.saved == stage:
                raise Killed
            ledger.save(now, rng)
            self.saved += 1

    with pytest.raises(Killed):
        run(FromPrior(), ledger=Dies())
    evaluations = []
    again = run(FromPrior(), seed=99, ledger=Counting(ledger, evaluations))
    np.testing.assert_array_equal(again.z, whole.z)
    assert again.log_evidence == whole.log_evidence
    assert evaluations[0] == stage  # it began after that stage
    assert Stages(tmp_path, "another question").run(0).load(np.random.default_rng(0)) is None


class Counting:
    """Notes at which stage a run begins."""

    def __init__(self, ledger, numbers):
        self.ledger, self.numbers = ledger, numbers

    def load(self, rng):
        stage = self.ledger.load(rng)
        self.numbers.append(stage.number)
        return stage

    def save(self, stage, rng):
        self.ledger.save(stage, rng)


@pytest.mark.fast
def test_a_damaged_stage_is_no_stage(tmp_path):
    stages = Stages(tmp_path, "same")
    (tmp_path / "run0.npz").write_bytes(b"PK nothing")
    (tmp_path / "mode.npz").write_bytes(b"")
    assert stages.run(0).load(np.random.default_rng(0)) is None
    assert stages.mode() is None


@pytest.mark.fast
def test_the_mode_is_kept_as_it_was_found(tmp_path, mode):
    stages = Stages(tmp_path, "same")
    stages.write_mode(mode)
    again = stages.mode()
    np.testing.assert_array_equal(again.peaks[0].curvature, mode.peaks[0].curvature)
    assert (again.laplace, again.objectives) == (mode.laplace, mode.objectives)


@pytest.mark.fast
def test_weights_of_a_near_network_are_reliable_and_right(mode):
    network = density(exact=False, bias=0.02)
    particles = run(AroundModes(mode.peaks), of=network)
    scored = reweighted(
        network, density(), particles.z, particles.parts.total, np.random.default_rng(0)
    )
    _, _, evidence = known()
    assert scored.reliable
    assert scored.effective > 0.9
    assert scored.complaints == []
    assert particles.log_evidence + scored.log_mean_weight == pytest.approx(evidence, abs=0.25)


@pytest.mark.fast
def test_a_chain_that_the_solver_corrects_is_exact_where_weights_are_not(mode):
    """The network is 0.25 off, up to two standard deviations, and too sure of it."""
    network = density(exact=False, bias=0.25, sd=0.9)
    particles = run(AroundModes(mode.peaks), of=network)
    scored = reweighted(
        network, density(), particles.z, particles.parts.total, np.random.default_rng(0)
    )
    assert scored.k_hat > 0.7
    mean, covariance, _ = known()
    sd = np.sqrt(np.diag(covariance))
    values, wrong = (density().prior.values(expit(z)) for z in (scored.corrected.z, particles.z))
    assert (abs(wrong.mean(axis=0) - mean) / sd).max() > 1.2
    assert (abs(values.mean(axis=0) - mean) / sd).max() < 0.35
    np.testing.assert_allclose(values.std(axis=0), sd, rtol=0.25)
    assert "the exact draws are those of the corrected chain" in scored.complaints[0]


@pytest.mark.fast
def test_a_mode_at_the_border_of_where_there_is_a_solution_is_found():
    """The likelihood rises up to the border, beyond which there is none."""
    mean, covariance, _ = known()
    edge = mean[0] - np.sqrt(covariance[0, 0])
    cut = density(edge=edge)
    mode = find_mode(cut, 2, np.random.default_rng(0))
    assert edge - 0.05 < mode.values[0] < edge
    assert np.isfinite(mode.peaks[0].curvature).all()
    particles = run(AroundModes(mode.peaks), of=cut)
    assert (cut.prior.values(expit(particles.z))[:, 0] < edge).all()


@pytest.mark.fast
def test_data_without_a_density_are_refused():
    nowhere = density(bias=np.nan)
    with pytest.raises(NoSolutionError, match="the data have no density at any of 512 draws"):
        find_mode(nowhere, 2, np.random.default_rng(0))
