"""Networks of worlds with one, two, three and seven observables."""

import pytest
import torch

from emulator.errors import ModelCheckError, ModelError
from emulator.models import MODELS, build
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.models.check import _observed, _statistics, _theta, check_model
from emulator.models.trust import Evidence, Trust
from emulator.models.universal import UniversalEmulator
from emulator.tests.conftest import brief_trust
from emulator.worlds import get_world

pytestmark = pytest.mark.fast

NK, VAR = get_world("nk").spec, get_world("var").spec
THREE = tuple(NK.observables[:3])
HORIZON = 12


def observing(spec, *names):
    """A copy of a world with these observables, new ones where it has none of the name."""
    known = {o.name: o for o in spec.observables}
    observables = tuple(
        known.get(name, spec.observables[0].model_copy(update={"name": name})) for name in names
    )
    return spec.model_copy(update={"observables": observables})


def network(*specs, seed=0, **options):
    torch.manual_seed(seed)
    by_name = {spec.name: spec for spec in specs}
    model = UniversalEmulator.from_specs(by_name, HORIZON, **options)
    model.bind({name: _statistics(spec) for name, spec in by_name.items()}, by_name)
    return model.eval()


def taught(*specs, **options):
    """A network that has learnt something of every weight."""
    model = network(*specs, **options)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    return model


@pytest.mark.parametrize("name", [name for name in MODELS if name != "UniversalEmulator"])
def test_the_number_of_observables_is_an_option_only_where_it_is_not_three(name):
    three, seven = _observed(NK, 3), _observed(NK, 7)
    assert "n_observables" not in build(name, {"nk": three}, HORIZON, {}).options
    model = build(name, {"nk": three, "more": seven}, HORIZON, {})
    assert model.options["n_observables"] == {"nk": 3, "more": 7}


def test_a_universal_network_names_observables_only_where_they_are_others():
    assert "observables" not in network(observing(NK, *(o.name for o in THREE))).options["worlds"]
    worlds = network(observing(NK, "rate", "hours")).options["worlds"]
    assert worlds["nk"]["observables"] == ["rate", "hours"]


def test_data_with_more_observables_than_the_network_are_refused():
    model = PerWorldMLPBaseline({"nk": NK.n_parameters}, H=HORIZON)
    seven = _observed(NK, 7)
    with pytest.raises(ModelError, match="7 observables in the data; this network was built for"):
        model.bind({"nk": _statistics(seven)}, {"nk": seven})


def test_data_with_fewer_observables_than_the_network_cut_its_answer():
    model, one = PerWorldMLPBaseline({"nk": NK.n_parameters}, H=HORIZON), _observed(NK, 1)
    model.bind({"nk": _statistics(one)}, {"nk": one})
    assert model(_theta(one, 2), "nk").shape == (2, NK.n_shocks, HORIZON + 1, 1)


def test_the_suite_finds_a_network_that_knows_three_observables_only():
    class Three(PerWorldMLPBaseline):
        def __init__(self, param_dims, hidden_dims=(16,), H=40, n_shocks=3, dropout=0.0):
            super().__init__(param_dims, hidden_dims, H, n_shocks, dropout)

    with pytest.raises(ModelCheckError, match=r"_of_1, .*_of_7: .*n_observables"):
        check_model(Three, [_observed(NK, 3)])


@pytest.mark.parametrize(
    "names",
    [
        ("rate",),
        ("inflation", "hours"),
        ("hours", "rate", "wage", "output", "inflation", "x_1", "x_2"),
    ],
)
@pytest.mark.parametrize("namesake", [True, False])
def test_observables_of_the_same_name_start_from_those_of_a_taught_network(names, namesake):
    old_spec = observing(NK, "output", "inflation", "rate")
    spec = observing(NK, *names)
    spec = spec if namesake else spec.model_copy(update={"name": "copied"})
    old, new = taught(old_spec), network(spec, seed=1)
    theta = _theta(NK, 6)
    unit = new._own(spec.name).observable_unit
    for k, name in enumerate(names):  # the size of responses is the new data's affair
        if name in old_spec.observable_names:
            unit[k] = old._own("nk").observable_unit[old_spec.observable_names.index(name)]
    new._own(spec.name).shock_unit.copy_(old._own("nk").shock_unit)
    new.start_from(old)
    answer, before = new(theta, spec.name), old(theta, "nk")
    assert torch.isfinite(answer).all()
    for k, name in enumerate(names):
        if name in old_spec.observable_names:
            known = before[..., old_spec.observable_names.index(name)]
            torch.testing.assert_close(
                answer[..., k], known, rtol=2e-4, atol=2e-4 * float(known.detach().abs().max())
            )


def test_what_worlds_share_is_taken_over_by_the_names_of_observables():
    old = taught(observing(NK, "output", "inflation", "rate"))
    new = network(observing(VAR, "rate", "hours"), seed=1)
    fresh = new.shared.out.detach().clone()
    new.start_from(old)
    n, rate = new._largest.n, old._largest.observables.index("rate")
    loadings = new.shared.out[n * n : -1].unflatten(0, (n, 2))
    theirs = old.shared.out[n * n : -1].unflatten(0, (n, 3))
    assert torch.equal(loadings[:, 0], theirs[:, rate])
    assert torch.equal(loadings[:, 1], fresh[n * n : -1].unflatten(0, (n, 2))[:, 1])
    assert torch.equal(new.shared.first, old.shared.first)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_vector_autoregression_of_any_size_is_found_exactly(count):
    spec = _observed(VAR, count)
    theta, moments = _theta(spec, 400), _statistics(spec)
    z = torch.cat([torch.ones(400, 1), (theta - moments.theta_mean) / moments.theta_std], 1)
    torch.manual_seed(2)
    lag = 0.02 * torch.randn(z.shape[1], count, count)
    lag[0] += 0.6 * torch.eye(count)
    impact = torch.randn(z.shape[1], spec.n_shocks, count)
    response = torch.einsum("nf,fso->nso", z, impact)
    transition, periods = torch.einsum("nf,fio->nio", z, lag), []
    for _ in range(HORIZON + 1):
        periods.append(response)
        response = torch.einsum("nsi,nio->nso", response, transition)
    irf = torch.stack(periods, dim=2)
    model = network(spec)
    model.prepare({spec.name: (theta, irf)})
    assert not model._learns(spec.name)
    error = (model(theta, spec.name) - irf).abs().max()
    assert float(error) < 1e-3 * float(irf.abs().max())


@pytest.mark.parametrize("structure", [True, False])
def test_worlds_of_several_sizes_answer_in_one_batch_as_they_do_apart(structure):
    specs = [_observed(NK, count) for count in (1, 3, 7)]
    model = taught(*specs, structure=structure)
    theta, ids = _theta(NK, 3), [spec.name for spec in specs]
    together = model(theta, ids)
    assert together.shape[3] == 7
    for row, spec in enumerate(specs):
        apart = model(theta[row : row + 1], spec.name)
        torch.testing.assert_close(together[row, ..., : spec.n_observables], apart[0])
        assert not together[row, ..., spec.n_observables :].any()


@pytest.mark.parametrize("count", [1, 7])
def test_a_band_is_as_wide_as_the_world_has_observables(count):
    spec = _observed(NK, count)
    theta, moments = _theta(spec, 60), _statistics(spec)
    error = 0.01 * torch.randn(60, spec.n_shocks, HORIZON + 1, count)
    with brief_trust():
        trust = Trust.fitted([(spec.name, Evidence(theta, theta, error))], {spec.name: moments})
    half = trust.half_width(theta, spec.name)
    assert half.shape == error.shape
    again = Trust.restored(trust.content, {spec.name: moments})
    assert torch.equal(again.half_width(theta, spec.name), half)
    held = trust.content["options"][spec.name]["band"]
    assert held["n_observables"] == count
    assert trust.flagged(theta, spec.name).shape == (60,)
