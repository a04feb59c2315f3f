"""When to believe a network: an error band, the probability that a solution exists, and flags for
what lies beyond the training data.
"""

from emulator.models.trust.determinacy import judge
from emulator.models.trust.trust import Evidence, Trust

__all__ = ["Evidence", "Trust", "judge"]
