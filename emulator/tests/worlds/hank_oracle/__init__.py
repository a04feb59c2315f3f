"""`hank` solved the long way, as the oracle of its solver: policies and distribution by iteration
with sequence-jacobian's own steps, Jacobians period by period, the equilibrium column by column.
"""
