"""`hank`: a New Keynesian economy of households that differ in skill and wealth (one asset)."""
