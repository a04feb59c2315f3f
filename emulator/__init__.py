"""Universal Macro Emulator: from the parameters of macroeconomic models to their impulse responses."""
