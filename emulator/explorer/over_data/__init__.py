"""The explorer over data: histories and their decomposition, forecasts under a condition, the
responses of a posterior.

`asking` has an economy answer, `bars`, `fan` and `bands` draw, `pages` puts the page together. The
answers are those of `Economy`.
"""
