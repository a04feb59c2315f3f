"""Data sets of impulse responses: generated, stored in Zarr, split and validated.

No PyTorch in this room.
"""

from emulator.data.generate import generate_dataset
from emulator.data.schema import SPLITS, Fractions, Manifest
from emulator.data.store import DataSet, open_dataset
from emulator.data.validate import validate_dataset

__all__ = [
    "SPLITS",
    "DataSet",
    "Fractions",
    "Manifest",
    "generate_dataset",
    "open_dataset",
    "validate_dataset",
]
