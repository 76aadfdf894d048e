import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from aos_workers.logs import set_up_logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_traceback_shows_where_it_happened_and_no_local_variable(lines: io.StringIO) -> None:
    def use(secret: str) -> None:
        raise ValueError(f"refused, {len(secret)} characters")

    for log in (structlog.get_logger("aos").exception, logging.getLogger("other").exception):
        try:
            use("canary-3141")
        except ValueError:
            log("failed")
    written = lines.getvalue()
    assert "canary" not in written
    for line in map(json.loads, written.splitlines()):
        assert line["event"] == "failed"
        assert line["exception"][0]["exc_value"] == "refused, 11 characters"
        assert line["exception"][0]["frames"][-1]["name"] == "use"
