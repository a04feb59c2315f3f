"""Data sets of simulators: named by their file or handed over, failures counted, runs resumed."""

import json

import numpy as np
import pytest

from emulator.data import generate_dataset, jobs, open_dataset, validate_dataset
from emulator.data.folders import open_folder
from emulator.errors import DatasetError, NoSolutionError, SimulatorError, UnknownNameError
from emulator.tests.worlds.shop import FILE, economy, fragile, one, shop, write_shop
from emulator.worlds import registry

pytestmark = pytest.mark.fast

SIZE = {"n_samples": 80, "seed": 3, "verdicts": 40, "chunk": 16, "shard": 32}


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


def forget(monkeypatch):
    """As in another process, which knows no world of this one's."""
    monkeypatch.setattr(registry, "_registered", {})


def test_a_world_handed_over_is_generated_with_its_own_horizon_and_no_paths(tmp_path, capsys):
    data = generate_dataset(tmp_path / "d", [shop()], **SIZE)
    assert "no trajectories are stored: shop has no `simulate`" in capsys.readouterr().err
    theta, irfs = data.read("shop", "train")
    assert irfs.shape[1:] == (2, 25, 5)
    np.testing.assert_allclose(irfs[:, 0, 3, 0], theta[:, 2] * theta[:, 0] ** 3, rtol=1e-5)
    assert validate_dataset(tmp_path / "d") == []


@pytest.mark.filterwarnings("ignore::emulator.errors.SimulatorWarning")
def test_refused_draws_are_counted_with_their_reason(tmp_path):
    data = generate_dataset(tmp_path / "d", [shop(fragile)], **SIZE)
    reasons = data.world("shop").rejections
    assert any("ZeroDivisionError: rho is #" in reason for reason in reasons)
    assert "ZeroDivisionError: rho is #" in (tmp_path / "d" / "README.md").read_text()
    theta, _ = data.read("shop", "train")
    assert theta[:, 0].max() <= 0.7
    _, status = data.verdicts("shop")
    assert 0 < (status != 0).mean() < 1


def odd(theta):
    """Draws that nothing but trying tells apart, about a third of them."""
    return int(theta[1] * 1e4) % 3 == 0


def paths_of_some(theta, shocks):
    if odd(theta):
        raise OverflowError(f"no path at {theta[0]}")
    return np.tile(theta[0], (len(shocks), 5))


def to_12(theta, horizon=12):
    if horizon > 12 and odd(theta):
        raise OverflowError(f"no period after 12 at {theta[0]}")
    return economy(theta[None], horizon)[0]


def solved_to_12(**declared):
    return shop(to_12, batched=False, draws_per_task=20, horizon=12, **declared)


def test_a_draw_whose_path_fails_is_counted_and_another_is_drawn(tmp_path):
    world = shop(one, batched=False, draws_per_task=20, simulate=paths_of_some)
    data = generate_dataset(tmp_path / "d", [world], periods=6, **SIZE)
    (reason,) = data.world("shop").rejections
    assert reason.startswith("not_converged: OverflowError: no path at # (test_simulators.py:")
    theta = data.theta("shop").astype(float)
    assert not any(map(odd, theta))
    paths = data.xarray("shop").trajectories.values
    np.testing.assert_array_equal(paths, np.tile(theta[:, :1, None], (1, 6, 5)))
    assert validate_dataset(tmp_path / "d") == []


def test_a_draw_that_fails_beyond_its_usual_horizon_is_counted_too(tmp_path):
    data = generate_dataset(tmp_path / "d", [solved_to_12()], horizon=20, **SIZE)
    assert any("no period after #" in reason for reason in data.world("shop").rejections)
    assert validate_dataset(tmp_path / "d") == []


def test_paths_that_always_fail_end_the_run_and_say_why(tmp_path):
    def never(theta, shocks):
        raise OverflowError("too far")

    world = shop(one, batched=False, simulate=never)
    with pytest.raises(NoSolutionError, match="the function 'never' raised OverflowError: too far"):
        generate_dataset(tmp_path / "d", [world], periods=6, **SIZE)


def test_groups_keep_their_dear_parameters_where_another_draw_takes_a_place(tmp_path):
    world = solved_to_12(dear=["rho"], simulate=lambda theta, shocks: np.zeros((len(shocks), 5)))
    plain = generate_dataset(tmp_path / "plain", [world], draws_per_group=4, **SIZE)
    data = generate_dataset(tmp_path / "d", [world], draws_per_group=4, horizon=20, **SIZE)
    assert validate_dataset(tmp_path / "d") == []
    groups = data.theta("shop")[:, 0].reshape(-1, 4)
    assert (groups == groups[:, :1]).all()
    assert len(plain.theta("shop")) == len(data.theta("shop"))


def test_a_prior_that_leaves_its_ranges_is_refused_before_a_data_set_holds_it(tmp_path):
    far = shop(prior=lambda n, rng: rng.uniform(0.4, 2.0, (n, 3)))
    with pytest.raises(DatasetError, match=r"drew rho=.*beyond its range 0\.1 to 0\.9"):
        generate_dataset(tmp_path / "d", [far], **SIZE)


def test_a_function_that_others_cannot_import_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(SimulatorError, match=r"mysim\.py:economy, or work in this process"):
        generate_dataset(tmp_path / "d", [shop(lambda theta: theta)], workers=2, **SIZE)
    assert not (tmp_path / "d").exists()


def test_a_run_that_is_interrupted_goes_on_where_it_was(tmp_path):
    calls = []

    def slow(theta):
        calls.append(theta)
        if len(calls) == 50:
            raise KeyboardInterrupt
        return one(theta)

    world = shop(slow, batched=False, draws_per_task=20)
    size = {**SIZE, "chunk": 10, "shard": 40, "verdicts": 0}
    with pytest.raises(KeyboardInterrupt):
        generate_dataset(tmp_path / "d", [world], **size)
    generate_dataset(tmp_path / "d", [shop(slow, batched=False, draws_per_task=20)], **size)
    assert len(calls) <= 50 + 41  # two shards of twenty and, to lay out the files, no other
    assert validate_dataset(tmp_path / "d") == []


def test_a_data_set_never_names_a_file_to_run(tmp_path, monkeypatch):
    marker = tmp_path / "was_run"
    path = write_shop(tmp_path, FILE + f"\nopen({str(marker)!r}, 'w').close()\n", "economy.py")
    generate_dataset(tmp_path / "d", [f"{path}:economy"], **SIZE)
    marker.unlink()
    forget(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert "economy.py" not in json.dumps(
        open_dataset(tmp_path / "d").manifest.request.model_dump()
    )
    (finding,) = set(validate_dataset(tmp_path / "d"))
    assert "not installed here" in finding.what
    assert "--world mysim.py:economy" in finding.what
    assert not marker.exists()
    assert validate_dataset(tmp_path / "d", [f"{path}:economy"]) == []
    manifest = json.loads((tmp_path / "d" / "manifest.json").read_text())
    manifest["request"]["worlds"] = ["economy.py:economy"]
    (tmp_path / "d" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DatasetError, match="cannot be read"):
        validate_dataset(tmp_path / "d")


def test_a_worker_that_does_not_see_the_file_says_so(tmp_path, monkeypatch):
    path = write_shop(tmp_path)
    data = generate_dataset(tmp_path / "d", [path], **SIZE)
    given = {"economy": f"{path}:economy"}
    forget(monkeypatch)
    path.rename(tmp_path / "elsewhere.py")
    with (
        jobs.marked_run(open_folder(tmp_path / "d"), data.manifest.request, given) as job,
        pytest.raises(DatasetError, match=r"worker on .*no file '.*mysim\.py'.*Every worker has"),
    ):
        jobs.perform(job, "economy", 0)


def test_an_edited_file_does_not_validate_what_another_version_made(tmp_path):
    path = write_shop(tmp_path)
    generate_dataset(tmp_path / "d", [path], **SIZE)
    path.write_text(FILE.replace("0.9)", "0.95)"))
    assert any("spec differs" in f.what for f in validate_dataset(tmp_path / "d", [path]))
    with pytest.raises(DatasetError, match="holds data of another request"):
        generate_dataset(tmp_path / "d", [path], **SIZE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon": 25}, "'shop' answers to horizon 24 at most"),
        ({"periods": 10}, r"'shop' has no `simulate`.*--periods 0"),
        ({"worlds": ["nk", shop()]}, r"'shop' has no `simulate`.*apart from the others"),
    ],
)
def test_what_a_simulator_cannot_do_is_said_before_anything_is_solved(tmp_path, changes, message):
    with pytest.raises(DatasetError, match=message):
        generate_dataset(tmp_path / "d", **{"worlds": [shop()], **SIZE, **changes})


def test_a_name_of_ours_is_refused(tmp_path):
    path = write_shop(tmp_path, FILE.replace("def economy", "def nk"))
    with pytest.raises(UnknownNameError, match="'nk' is there already: it is of this package"):
        generate_dataset(tmp_path / "d", [path], **SIZE)


def test_the_commands_take_a_python_file(emulate, tmp_path):
    place = f"{write_shop(tmp_path)}:economy"
    size = ("--n_samples", "40", "--verdicts", "20", "--output", tmp_path / "d")
    code, out, err = emulate("generate", "--world", place, *size)
    assert code == 0, err
    code, out, err = emulate("validate", "--dataset", tmp_path / "d", "--world", place)
    assert code == 0, err
    assert "is whole" in out
    code, _, err = emulate("validate", "--dataset", tmp_path / "d", "--world", "nk")
    assert code == 1
    assert "Known: economy" in err
