"""Chaos for tests: agents under load on a real server, what goes wrong meanwhile, and a check of what came of it."""
