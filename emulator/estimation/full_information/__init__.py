"""Full information: the posterior of a world's parameters given data, by the likelihood of every
observation.
"""
