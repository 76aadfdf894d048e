"""How a worker process says that it serves, to whoever started it."""

READY = "worker_ready"
"""Event that a worker logs, with its `models`, when it serves. It is logged at every log level."""
