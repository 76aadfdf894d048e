"""A world in which an agent remembers little, so that what is forgotten in thousands of messages is so in dozens."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest


@contextmanager
def forgetful() -> Generator[None]:
    """Give agents little room, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aos_workflows.seen.STREAMS", 3)
        patch.setattr("aos_workflows.seen.GAPS", 3)
        patch.setattr("aos_workflows.seen.IDS", 8)
        patch.setattr("aos_workflows.mailbox.PAGE_BYTES", 1200)
        patch.setattr("aos_workflows.mailbox.QUIET_BYTES", 2000)
        patch.setattr("aos_workflows.agent.CARRIED_BYTES", 1500)
        patch.setattr("aos_workflows.agent.LATE_BYTES", 1500)
        yield
