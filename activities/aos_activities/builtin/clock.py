"""The time, and timers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from aos.errors import TerminalError
from aos.tools import tool

_TEN_YEARS = 10 * 366 * 86_400


@tool(timeout="5s")
async def current_time(timezone: str = "UTC") -> str:
    """Tell the date, the time and the day of the week.

    Args:
        timezone: A time zone of the IANA data base, such as Europe/Berlin.
    """
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise TerminalError(f"{timezone!r} is no time zone of the IANA data base, such as 'Europe/Berlin'") from None
    now = datetime.now(zone)
    return f"{now.isoformat(timespec='seconds')} ({now:%A}, {timezone})"


@tool(timeout="5s", name="set_timer")
async def _set_timer(seconds: Annotated[float, Field(ge=0, le=_TEN_YEARS)], text: str) -> str:
    """Set a timer. When it goes off, you are told the text. It survives restarts.

    Args:
        seconds: From now; at most ten years.
        text: What you want to be told then.
    """
    raise TerminalError("set_timer is carried out by the agent's workflow; no worker can do it")


set_timer = replace(_set_timer, kernel=True)
