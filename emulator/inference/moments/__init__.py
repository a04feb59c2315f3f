"""Second moments, variance decompositions and simulations of an economy, for draws in batches."""
