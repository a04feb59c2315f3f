"""Draws that were solved elsewhere, from arrays or files, as a data set."""
