"""The deterministic part of AOS: the agent's eternal workflow and the pure parts it is made of.

Nothing here reads a clock, a file or the environment, and nothing draws a random number but through Temporal.
"""
