"""The benchmark: AOS beside raw Temporal and beside its peers, in one run."""
