"""Shared memory: stores of records, and what activities do with them."""
