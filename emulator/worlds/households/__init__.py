"""What worlds of households that differ have in common: how draws are solved, what they declare."""
