"""The explorer: a page on this machine where worlds, shocks and parameters are chosen and responses
follow the slider.

It computes nothing itself: every number comes from `emulator.inference`. Extra `[explorer]`.
"""
