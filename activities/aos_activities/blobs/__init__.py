"""Blobs: where everything lives that is too large for history."""
