"""HTTP servers that speak the real wire formats of model providers, for tests."""
