"""The world `hank2`: households with liquid and illiquid assets."""
