"""Logs as JSON lines, each with the agent and the message it is about."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from aos.names import AGENT_ID_PREFIX

# Local variables may hold what is private.
_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, use_rich=False)

Event = MutableMapping[str, Any]

_EXTRAS = ("temporal_workflow", "temporal_activity", "agent", "message_ids", "steps", "reason")


def set_up_logs(level: str, stream: TextIO | None = None) -> None:
    """Write the logs of this process as JSON lines to `stream`, by default standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_agent,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(_EXTRAS)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_TRACEBACKS),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It is in the fields already.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    # The SDK logs each failed attempt with a traceback; attempts that AOS expects are in its own logs in a line.
    logging.getLogger("temporalio.activity").addFilter(_is_unexpected)


def _is_unexpected(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], ApplicationError))


def _add_agent(logger: Any, method: str, event: Event) -> Event:
    if activity.in_activity():
        info = activity.info()
        event.setdefault("workflow_id", info.workflow_id)
        event.setdefault("attempt", info.attempt)
    elif workflow.in_workflow():
        event.setdefault("workflow_id", workflow.info().workflow_id)
    workflow_id = event.get("workflow_id")
    if isinstance(workflow_id, str) and workflow_id.startswith(AGENT_ID_PREFIX):
        event.setdefault("agent", workflow_id.removeprefix(AGENT_ID_PREFIX))
    return event
