"""What steers a living agent: the arguments of its signals and updates besides messages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel, model_validator

from aos.json_value import JsonObject
from aos.spec import AgentSpec
from aos.wire import Contract


class Stop(Contract):
    """Ends an agent. `when`: `turn` lets the turn under way end first, `now` does not."""

    when: Literal["turn", "now"] = "turn"
    reason: Annotated[str, Field(max_length=500)] = "stopped on request"


class Lookup(Contract):
    """Names messages by their ids."""

    ids: Annotated[list[str], Field(max_length=1000)]


class Letters(Contract):
    """Names dead letters, by their ids or all of them: the argument of `replay_letters` and `drop_letters`."""

    ids: Annotated[list[str], Field(max_length=1000)] = Field(default_factory=list[str])
    all: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Letters:
        if bool(self.ids) == self.all:
            raise ValueError("give either ids, or all: true")
        return self


class Changes(RootModel[JsonObject]):
    """Fields of a spec that change while the agent lives; those not named stay as they are."""

    @model_validator(mode="after")
    def _not_the_name(self) -> Changes:
        if "name" in self.root:
            raise ValueError("name: an agent keeps its name for life; start another agent instead")
        if not self.root:
            raise ValueError(f"give the fields to change, among {', '.join(AgentSpec.model_fields)}")
        return self

    def applied_to(self, spec: AgentSpec) -> AgentSpec:
        """Return `spec` with the changes made.

        Raises:
            pydantic.ValidationError: The changed spec is not valid.
        """
        return AgentSpec.model_validate({**spec.model_dump(mode="json"), **self.root})
