"""The emulator of structure: the dear part of an economy predicted, the rest closed exactly."""
