"""Targets: the VAR against statsmodels, files there and back, and every bad input that a person may
hand over.
"""

import os
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR

import emulator
from emulator.errors import ParameterError, TargetError, UnknownNameError
from emulator.estimation import Target, from_var, read_target, us_monetary, write_target
from emulator.estimation.var_target import us_data

pytestmark = pytest.mark.fast
HEADER = "horizon,output,inflation,rate,output_sd,inflation_sd,rate_sd\n"


@pytest.fixture(scope="module")
def us():
    return us_monetary(replications=300)


def test_us_responses_are_those_of_statsmodels(us):
    results = VAR(us_data().loc["1964Q3":"1995Q3"]).fit(4)
    assert results.nobs == 121
    np.testing.assert_allclose(us.irf, results.irf(20).orth_irfs[:, :, 2], atol=1e-11)


def test_bootstrap_errors_are_near_those_of_statsmodels_simulation(us):
    resampled = (
        VAR(us_data().loc["1964Q3":"1995Q3"])
        .fit(4)
        .irf_resim(orth=True, repl=200, steps=20, rng=np.random.RandomState(1))[:, :, :, 2]
    )
    ratio = resampled.std(axis=0)[1:] / us.sd[1:]
    assert 0.8 < np.median(ratio) < 1.25  # Gaussian draws there, residuals here
    assert ratio.min() > 0.5


def test_a_tightening_raises_the_rate_and_lowers_output_within_two_years(us):
    assert us.irf[0, 2] > 3 * us.sd[0, 2]
    assert us.irf[8, 0] < -us.sd[8, 0]


def test_what_identification_fixes_is_not_matched(us):
    assert us.matched.sum() == 61
    assert not us.matched[0, :2].any()
    assert us.sd[0, :2].max() == 0.0
    with pytest.raises(TargetError, match="as where identification fixes it"):
        Target(us.name, us.shock, us.irf, us.covariance, np.ones_like(us.matched), us.source)


def test_the_same_seed_gives_the_same_covariance(us):
    again, other = us_monetary(replications=300), us_monetary(replications=300, seed=1)
    np.testing.assert_array_equal(us.covariance, again.covariance)
    assert not np.array_equal(us.covariance, other.covariance)


def test_a_var_of_known_coefficients_gives_its_own_responses():
    rng, n = np.random.default_rng(0), 60_000
    lag, impact = np.array([[0.5, 0.2], [0.0, 0.7]]), np.array([[1.0, 0.0], [0.5, 2.0]])
    y = np.zeros((n, 2))
    for t in range(1, n):
        y[t] = lag @ y[t - 1] + impact @ rng.normal(size=2)
    target = from_var(
        VAR(pd.DataFrame(y, columns=["gdp", "ffr"])).fit(1),
        "ffr",
        {"output": "gdp", "rate": "ffr"},
        horizon=6,
        replications=20,
        cumulated=["output"],
    )
    true = np.array([np.linalg.matrix_power(lag, h) @ impact[:, 1] for h in range(7)])
    np.testing.assert_allclose(target.irf[:, 2], true[:, 1], atol=0.05)
    np.testing.assert_allclose(target.irf[:, 0], true[:, 0].cumsum(), atol=0.1)
    assert not target.matched[:, 1].any()
    assert not target.matched[0, 0]


def test_a_csv_comes_back_as_it_was_written_and_an_npz_with_its_covariance(us, tmp_path):
    for ending in ("csv", "npz"):
        write_target(us, tmp_path / f"x.{ending}")
        again = read_target(tmp_path / f"x.{ending}")
        np.testing.assert_array_equal(again.matched, us.matched)
        np.testing.assert_allclose(again.values, us.values, rtol=1e-12)
        np.testing.assert_allclose(again.sd[us.matched], us.sd[us.matched], rtol=1e-12)
    np.testing.assert_array_equal(again.covariance, us.covariance)
    assert again.source == us.source


def test_entries_and_horizons_can_be_left_out(us):
    less = us.without("inflation", range(4)).up_to(8)
    assert less.horizon == 8
    assert not less.matched[:4, 1].any()
    assert less.matched.sum() == 61 - 12 * 3 - 3
    np.testing.assert_array_equal(
        less.matched_covariance, us.covariance[np.ix_(less.entries, less.entries)]
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read as CSV"),
        (HEADER, "has no rows"),
        ("horizon;rate;rate_sd\n0;1,5;1\n", "parts its columns by semicolons; expected commas"),
        ("horizon\trate\trate_sd\n0\t1\t1\n", "parts its columns by tabs; expected commas"),
        (
            "horizon,gdp\n0,1\n",
            "a column 'gdp' and no column 'gdp_sd'; expected 'horizon', and for",
        ),
        ("horizon,gdp_sd\n0,1\n", "a column 'gdp_sd' and no column 'gdp'"),
        ("horizon,gdp,gdp_sd,gdp\n0,1,1,2\n", "names the column 'gdp' twice"),
        ("horizon,rate,rate_sd\n0,1,1,\n1,1,1\n", "line 2: 4 cells under 3 names of columns"),
        ("horizon,rate,rate_sd\n0,True,1\n", "column 'rate' holds 'True' in row 1"),
        ("horizon,rate,rate_sd\n0,,\n1,False,\n", "column 'rate' holds 'False' in row 2"),
        ("horizon,rate,rate_sd\n0,x" + "9" * 100_000 + ",1\n", "holds 'x9{39}[.]{3}' in row 1"),
        ("horizon,outpt,output_sd\n0,1,1\n", "Did you mean 'output'"),
        ("horizon,output\n0,1\n", "no column 'output_sd'"),
        ("output,output_sd\n1,1\n", "no column 'horizon'"),
        ("horizon\n0\n", "no column of an observable"),
        ("horizon,rate,rate_sd\n0,one,1\n", "column 'rate' holds 'one' in row 1"),
        ("horizon,rate,rate_sd\n0,inf,1\n", "an infinite number"),
        (
            "horizon,rate,rate_sd\n0,1e300,1\n",
            "a response of 1e[+]300 annualised",
        ),
        (
            "horizon,rate,rate_sd\n0,1,1e300\n",
            "deviation of inf.*expected at most 1e[+]09",
        ),
        ("horizon,rate,rate_sd\n0,1,1e-120\n", "standard deviation of 1e-120.*1e-09 or more"),
        ("horizon,rate,rate_sd\n0,1,1e-300\n", "variance that is not a positive number"),
        ("horizon,rate,rate_sd\n0,1,\n", "a value without a standard deviation"),
        ("horizon,rate,rate_sd\n0,1,0\n", "variance that is not a positive number"),
        ("horizon,rate,rate_sd\n0,1,-1\n", "a negative standard deviation"),
        ("horizon,rate,rate_sd\n0,,\n", "no entry is left"),
        ("horizon,rate,rate_sd\n0,1,1\n0,2,1\n", "names a horizon twice"),
        ("horizon,rate,rate_sd\n-1,1,1\n", "whole numbers from 0"),
        ("horizon,rate,rate_sd\n0.5,1,1\n", "whole numbers from 0"),
        ("horizon,rate,rate_sd\n100000000,1,1\n", "whole numbers from 0"),
        (
            "horizon,rate,rate_sd\n" + "".join(f"{k},1,1\n" for k in range(500)),
            "more than 400 rows",
        ),
    ],
)
def test_bad_csv_files_are_refused_in_words(tmp_path, content, message):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(TargetError, match=message):
        read_target(tmp_path / "x.csv")


def test_files_that_are_missing_damaged_huge_or_of_another_kind_are_refused(
    tmp_path, monkeypatch, us
):
    with pytest.raises(TargetError, match="cannot be read: No such file"):
        read_target(tmp_path / "none.csv")
    with pytest.raises(TargetError, match=r"must end in \.csv or \.npz"):
        read_target(tmp_path / "x.pkl")
    with pytest.raises(TargetError, match="must end in"):
        write_target(us, tmp_path / "x.json")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x01\x80")
    with pytest.raises(TargetError, match="cannot be read as CSV"):
        read_target(tmp_path / "x.csv")
    write_target(us, tmp_path / "x.npz")
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TargetError, match="damaged or no NPZ"):
        read_target(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", irf=np.array([object()]), covariance=0, matched=0, about=0)
    with pytest.raises(TargetError, match="damaged or no NPZ"):
        read_target(tmp_path / "y.npz")
    np.savez(tmp_path / "z.npz", irf=np.zeros((2, 3)))
    with pytest.raises(TargetError, match="no array 'covariance'"):
        read_target(tmp_path / "z.npz")
    monkeypatch.setattr("emulator.estimation.target_files.LARGEST", 10)
    with pytest.raises(TargetError, match="expected at most 10"):
        read_target(tmp_path / "x.csv".replace("csv", "npz"))


def _npy_header(shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def _zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def test_an_npz_that_unpacks_to_more_than_a_target_is_refused_before_it_is_unpacked(tmp_path):
    small = _npy_header((0,))
    bomb = {"irf": b"\0" * 80_000_000, "covariance": small, "matched": small, "about": small}
    _zipped(tmp_path / "x.npz", bomb)
    assert (tmp_path / "x.npz").stat().st_size < 200_000
    tracemalloc.start()
    with pytest.raises(TargetError, match="would unpack to 80,000,"):
        read_target(tmp_path / "x.npz")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_an_array_whose_header_asks_for_more_than_its_file_holds_is_refused(tmp_path):
    members = dict.fromkeys(("irf", "covariance", "matched", "about"), _npy_header((10**9, 10**3)))
    _zipped(tmp_path / "x.npz", members)
    with pytest.raises(TargetError, match="asks for 8,000,000,000,000 bytes, the file holds 0"):
        read_target(tmp_path / "x.npz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and devices are files on POSIX only")
def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.npz").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "zero.npz", "folder.csv"):
        with pytest.raises(TargetError, match="no ordinary file"):
            read_target(tmp_path / name)
    with pytest.raises(TargetError, match="cannot be read: embedded null byte"):
        read_target("x\0.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample": "1965-1995"}, "expected two quarters"),
        ({"sample": "1950Q1:1995Q3"}, "does not lie within the data, 1959Q2 to 2009Q3"),
        ({"sample": "1995Q3:1965Q3"}, "ends before it begins"),
        ({"sample": "1959Q3:1995Q3"}, "cannot explain 1959Q3"),
        ({"sample": "1990Q1:1992Q1"}, "has 9 quarters for 13 coefficients"),
        ({"replications": 3}, "20 replications"),
        ({"horizon": -1}, "horizon -1"),
    ],
)
def test_bad_requests_for_us_data_are_refused_in_words(arguments, message):
    with pytest.raises(TargetError, match=message):
        us_monetary(**{"replications": 20, **arguments})


def test_foreign_objects_and_unknown_names_are_refused():
    with pytest.raises(TargetError, match="expected the results of statsmodels"):
        from_var({"irf": 1}, "rate", {"rate": "rate"})
    results = VAR(us_data()).fit(2)
    with pytest.raises(UnknownNameError, match="Unknown column of the VAR: 'ffr'"):
        from_var(results, "ffr", {"rate": "rate"})
    with pytest.raises(UnknownNameError, match="Unknown observable: 'interest'"):
        from_var(results, "rate", {"rate": "rate"}, cumulated=["interest"])
    other = from_var(results, "rate", {"interest": "rate"}, replications=20)
    with pytest.raises(ParameterError, match="has no observable 'interest', which target 'var'"):
        other.in_world(emulator.world("nk").spec)
    with pytest.raises(TargetError, match="trend 'ct'"):
        from_var(VAR(us_data()).fit(2, trend="ct"), "rate", {"rate": "rate"})


def test_arrays_of_wrong_shape_and_unknown_entries_are_refused(us):
    with pytest.raises(
        TargetError, match=r"expected \(H\+1, 3\) .* output, inflation, rate. Other"
    ):
        Target.of("x", "monetary", np.zeros((4, 2)), np.ones((4, 2)))
    with pytest.raises(TargetError, match="horizons 0 to 20"):
        us.without("rate", [21])
    with pytest.raises(UnknownNameError, match="Did you mean 'rate'"):
        us.without("rates", [1])
    with pytest.raises(TargetError, match="ends at horizon 20"):
        us.up_to(21)
