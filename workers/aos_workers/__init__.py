"""Processes of AOS: workers, the local server, and their settings."""
