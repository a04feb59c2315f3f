"""What the explorer says of a network's curve in words."""

import xarray as xr

from emulator.explorer.curves import doubts


def test_near_a_border_between_regimes_the_exact_solution_is_proposed():
    for near, count in ((True, 1), (False, 0)):
        words = doubts(xr.Dataset({"near_jump": ("draw", [near])}))
        assert len(words) == count
        assert all("The exact solution settles it" in text for text in words)
    assert doubts(xr.Dataset({"exact": ("draw", [False])})) == []
