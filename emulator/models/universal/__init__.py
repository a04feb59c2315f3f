"""One network for all worlds: parameters named by tokens, responses rolled out of a latent state
space.
"""

from emulator.models.universal.network import UniversalEmulator

__all__ = ["UniversalEmulator"]
