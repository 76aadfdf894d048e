"""The real engine for tests: a Temporal dev server, AOS workers on it, and models that answer as told."""
