"""Time series: the data that a model is held to, with periods, units and what was done to them."""

from emulator.series.container import TimeSeries
from emulator.series.doors import read_data

__all__ = ["TimeSeries", "read_data"]
