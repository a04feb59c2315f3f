"""The same vector autoregression on a world's own data as on the data that are matched."""
