"""A stage on which courses are played without Temporal."""
