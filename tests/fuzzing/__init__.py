"""Malformed input of every kind, drawn from a seed, for the tests of reliability."""
