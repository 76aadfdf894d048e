"""What a run that goes on from another is given."""

from __future__ import annotations

from pydantic import BaseModel, Field
from temporalio import workflow
from temporalio.common import RawValue

_MARK = b'{"resume":'


class Resume(BaseModel):
    """The input of a run that goes on from another."""

    resume: dict[str, object] = Field(default_factory=dict[str, object])


def carried(given: RawValue) -> dict[str, object] | None:
    """Return the state that the run before has handed over, or None where `given` is what a first run begins with."""
    if workflow.info().continued_run_id and given.payload.data.startswith(_MARK):
        return Resume.model_validate_json(given.payload.data).resume
    return None
