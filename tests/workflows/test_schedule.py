from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.spec import CronTrigger, EventTrigger, IntervalTrigger, Trigger
from aos_workflows.schedule import Schedule, Timer

START = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


def no_chance() -> float:
    return 0.0


def planned(*triggers: Trigger, now: float = START) -> Schedule:
    schedule = Schedule()
    schedule.plan(triggers, now, no_chance)
    return schedule


@given(every=st.floats(0.1, 1e7), waited=st.floats(0, 1e9))
def test_one_tick_comes_however_many_were_missed(every: float, waited: float) -> None:
    trigger = IntervalTrigger(type="interval", every=every)
    schedule = planned(trigger)
    now = START + every + waited
    assert schedule.due([trigger], now, no_chance) == [trigger]
    assert schedule.due([trigger], now, no_chance) == []
    assert schedule.next_due is not None
    assert now < schedule.next_due <= now + every * 1.001


@given(every=st.integers(1, 1000), pauses=st.lists(st.floats(0, 5000), max_size=20))
def test_an_interval_keeps_its_beat(every: int, pauses: list[float]) -> None:
    trigger = IntervalTrigger(type="interval", every=every)
    schedule, now = planned(trigger), START
    for pause in pauses:
        now += pause
        schedule.due([trigger], now, no_chance)
        assert schedule.next_due is not None
        assert schedule.next_due > now
        assert (schedule.next_due - START) % every == 0


@given(jitter=st.floats(0, 100), chance=st.floats(0, 1, exclude_max=True))
def test_jitter_delays_a_tick_and_not_the_beat(jitter: float, chance: float) -> None:
    trigger = IntervalTrigger(type="interval", every=10, jitter=jitter)
    schedule = Schedule()
    schedule.plan([trigger], START, lambda: chance)
    tick = next(iter(schedule.ticks.values()))
    assert tick.base == START + 10
    assert START + 10 <= tick.due <= START + 10 + jitter


def ticks(cron: str, zone: str, begin: datetime, count: int) -> list[str]:
    trigger = CronTrigger(type="cron", cron=cron, timezone=zone)
    schedule = planned(trigger, now=begin.timestamp())
    times: list[str] = []
    for _ in range(count):
        assert schedule.next_due is not None
        times.append(datetime.fromtimestamp(schedule.next_due, ZoneInfo(zone)).isoformat())
        assert schedule.due([trigger], schedule.next_due, no_chance) == [trigger]
    return times


def test_cron_follows_the_clock_on_the_wall_over_the_change_to_summer_time() -> None:
    begin = datetime(2026, 3, 27, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert ticks("0 9 * * *", "Europe/Berlin", begin, 3) == [
        "2026-03-28T09:00:00+01:00",
        "2026-03-29T09:00:00+02:00",
        "2026-03-30T09:00:00+02:00",
    ]


def test_cron_ticks_once_in_the_hour_that_comes_twice() -> None:
    begin = datetime(2026, 10, 24, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert [time[:10] for time in ticks("30 2 * * *", "Europe/Berlin", begin, 3)] == [
        "2026-10-25",
        "2026-10-26",
        "2026-10-27",
    ]


def test_a_tick_in_the_hour_that_is_left_out_comes_right_after_it() -> None:
    begin = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert ticks("30 2 * * *", "Europe/Berlin", begin, 2) == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_a_month_of_missed_cron_ticks_is_one_tick() -> None:
    trigger = CronTrigger(type="cron", cron="* * * * *")
    schedule = planned(trigger)
    now = START + 30 * 86_400
    assert schedule.due([trigger], now, no_chance) == [trigger]
    assert schedule.due([trigger], now, no_chance) == []


def test_planning_keeps_the_ticks_of_triggers_that_stay() -> None:
    stays, goes, comes = (
        IntervalTrigger(type="interval", every=10),
        IntervalTrigger(type="interval", every=20),
        CronTrigger(type="cron", cron="0 9 * * *"),
    )
    schedule = planned(stays, goes)
    before = dict(schedule.ticks)
    schedule.plan([comes, stays, EventTrigger(type="event", event="x")], START + 5, no_chance)
    assert len(schedule.ticks) == 2
    kept = set(before) & set(schedule.ticks)
    assert [schedule.ticks[key] for key in kept] == [before[key] for key in kept]
    assert len(kept) == 1


@pytest.mark.parametrize("length", [1e12, 1e300])
def test_an_interval_of_ages_stays_within_the_calendar(length: float) -> None:
    schedule = planned(
        IntervalTrigger.model_construct(type="interval", every=length, jitter=length, text="", gate=None)
    )
    assert schedule.next_due is not None
    assert datetime.fromtimestamp(schedule.next_due, UTC).year < 2100


@given(st.lists(st.floats(0, 100), max_size=10), st.floats(0, 100))
def test_timers_go_off_once_and_earliest_first(dues: list[float], now: float) -> None:
    schedule = Schedule(timers=[Timer(id=str(i), due=due, text="") for i, due in enumerate(dues)])
    come = [timer.due for timer in schedule.due_timers(now)]
    assert come == sorted(due for due in dues if due <= now)
    assert schedule.due_timers(now) == []
    assert schedule.next_due == min((due for due in dues if due > now), default=None)
