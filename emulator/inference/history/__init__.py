"""What happened, and what comes next: smoothed shocks, historical decompositions, forecasts."""
