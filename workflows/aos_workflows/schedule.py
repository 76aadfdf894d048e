"""When an agent wakes of itself: intervals, times of the calendar, and timers that it set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim
from pydantic import Field

from aos.spec import CronTrigger, EventTrigger, IntervalTrigger, Trigger
from aos.wire import Wire

_LONGEST = 10 * 366 * 86_400.0
"""Ten years, in seconds: no timer of Temporal's need be longer, and no date beyond the calendar comes of it."""


class Tick(Wire):
    """The next tick of a trigger: `due` is `base` and its jitter, in seconds since 1970."""

    base: float
    due: float


class Timer(Wire):
    """Something that the agent wants to be told at a time."""

    id: str
    due: float
    text: str


class Schedule(Wire):
    """The next ticks by trigger, the timers, and the last results of tools that are gates."""

    ticks: dict[str, Tick] = Field(default_factory=dict[str, Tick])
    timers: list[Timer] = Field(default_factory=list[Timer])
    gates: dict[str, str] = Field(default_factory=dict[str, str])

    def plan(self, triggers: Sequence[Trigger], now: float, chance: Callable[[], float]) -> None:
        """Follow `triggers`: what is new gets its first tick, what is gone loses it, what stays keeps its beat."""
        wanted = {trigger_key(trigger): trigger for trigger in triggers if not isinstance(trigger, EventTrigger)}
        self.ticks = {key: tick for key, tick in self.ticks.items() if key in wanted}
        self.gates = {key: digest for key, digest in self.gates.items() if key in wanted}
        for key, trigger in wanted.items():
            if key not in self.ticks:
                self.ticks[key] = _next_tick(trigger, now, now, chance)

    def due(
        self, triggers: Sequence[Trigger], now: float, chance: Callable[[], float]
    ) -> list[IntervalTrigger | CronTrigger]:
        """Return the triggers whose time has come, each once however many ticks were missed, and plan their next."""
        come: list[IntervalTrigger | CronTrigger] = []
        for trigger in triggers:
            if isinstance(trigger, EventTrigger):
                continue
            key = trigger_key(trigger)
            tick = self.ticks.get(key)
            if tick and tick.due <= now:
                come.append(trigger)
                self.ticks[key] = _next_tick(trigger, tick.base, now, chance)
        return come

    def due_timers(self, now: float) -> list[Timer]:
        """Take the timers whose time has come, earliest first."""
        come = sorted((timer for timer in self.timers if timer.due <= now), key=lambda timer: (timer.due, timer.id))
        self.timers = [timer for timer in self.timers if timer.due > now]
        return come

    @property
    def next_due(self) -> float | None:
        """When something is due next, in seconds since 1970."""
        return min([*(tick.due for tick in self.ticks.values()), *(timer.due for timer in self.timers)], default=None)


def trigger_key(trigger: Trigger) -> str:
    """Return a short name of a trigger that stays the same while the trigger does."""
    return hashlib.sha256(trigger.model_dump_json().encode()).hexdigest()[:12]


def _next_tick(trigger: IntervalTrigger | CronTrigger, base: float, now: float, chance: Callable[[], float]) -> Tick:
    if isinstance(trigger, CronTrigger):
        local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(trigger.timezone))
        due = next(CronSim(trigger.cron, local)).timestamp()
        return Tick(base=due, due=due)
    every, jitter = min(trigger.every, _LONGEST), min(trigger.jitter, _LONGEST)
    missed = max(0, int((now - base) // every))
    base += every * (missed + 1)
    if base <= now:
        # The division was rounded down: without this, the same tick would come again at once.
        base += every
    return Tick(base=base, due=base + jitter * chance())
