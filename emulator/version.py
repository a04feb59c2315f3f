"""The version of this package, also that of its wheel."""

__version__ = "0.1.0"
