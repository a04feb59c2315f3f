"""From the syntax of a `.mod` file to its model: calibration, derivatives, steady states, matrices
and responses, for batches of parameters.

`load.load` is the way in.
"""
