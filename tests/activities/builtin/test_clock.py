from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aos.errors import TerminalError
from aos_activities.builtin.clock import current_time, set_timer


async def test_the_time_is_told_in_the_zone_asked_for() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = await current_time("Asia/Kathmandu")
    at = datetime.fromisoformat(told.split()[0])
    assert before <= at <= datetime.now(UTC)
    assert at.utcoffset() == timedelta(hours=5, minutes=45)
    assert told.endswith(f"({at:%A}, Asia/Kathmandu)")


async def test_the_time_is_told_in_utc_by_default() -> None:
    assert "+00:00" in await current_time(**current_time.validate({}))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/passwd", "Europe"])
async def test_a_zone_that_there_is_not_is_refused(zone: str) -> None:
    with pytest.raises(TerminalError, match="no time zone"):
        await current_time(zone)


async def test_a_timer_is_left_to_the_workflow() -> None:
    assert set_timer.name == "set_timer"
    assert set_timer.describe("aos").policy.kernel
    assert set_timer.parameters["required"] == ["seconds", "text"]
    with pytest.raises(TerminalError, match="workflow"):
        await set_timer(5, "tea")
