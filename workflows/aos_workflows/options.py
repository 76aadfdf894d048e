"""How AOS's own activities are run: time-outs and retries in one place."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

_HEARTBEAT = timedelta(seconds=5)
_LONGEST_CALL = timedelta(minutes=10)

_SHORTEST, _LONGEST = 1.0, 10 * 366 * 86_400.0

MODEL_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


class QuickOptions(TypedDict):
    """Options of an activity that takes milliseconds."""

    start_to_close_timeout: timedelta


class PreparationOptions(QuickOptions):
    """Options of a quick activity that is given up at last."""

    schedule_to_close_timeout: timedelta


STORE: QuickOptions = {"start_to_close_timeout": timedelta(seconds=30)}
"""For the quick reads and writes of the store. They are tried until the store is back: an agent must not end for it."""

PREPARATION: PreparationOptions = {**STORE, "schedule_to_close_timeout": timedelta(minutes=10)}
"""For making a spec ready, which somebody waits for."""


DIRECTORY: PreparationOptions = {
    "start_to_close_timeout": timedelta(seconds=20),
    "schedule_to_close_timeout": timedelta(minutes=1),
}
"""For looking up who is alive, which is looked up again later."""


class ModelOptions(TypedDict):
    """Options of an activity that calls a model."""

    schedule_to_close_timeout: timedelta
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


def clamped(seconds: float) -> float:
    """Return a time-out that Temporal can count: of a second at least and ten years at most."""
    return min(max(seconds, _SHORTEST), _LONGEST)


def model_options(patience: float) -> ModelOptions:
    """Return how a model is called by an agent that waits `patience` seconds for it."""
    limit = timedelta(seconds=clamped(patience))
    return {
        "schedule_to_close_timeout": limit,
        "start_to_close_timeout": min(limit, _LONGEST_CALL),
        "heartbeat_timeout": _HEARTBEAT,
        "retry_policy": MODEL_RETRIES,
    }


def tool_heartbeat(timeout: float) -> timedelta:
    """Return after how long without a heartbeat the worker of a tool is taken for dead."""
    return min(_HEARTBEAT, timedelta(seconds=clamped(timeout)))
