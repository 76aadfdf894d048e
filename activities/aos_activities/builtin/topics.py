"""Tools by which agents publish on topics and subscribe to them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aos.errors import AgentStopped, InvalidInput, TerminalError
from aos.json_value import Json, JsonObject
from aos.message import CHAIN, Message
from aos.names import agent_workflow_id
from aos.reading import read_object
from aos.tools import Tool, current_call, tool
from aos_activities.topics import TopicAccess


def topic_tools(topics: TopicAccess) -> list[Tool]:
    """Return the tools `publish`, `subscribe` and `unsubscribe`, over `topics`."""

    @tool(timeout=30.0)
    async def publish(
        topic: str,
        text: Annotated[str, Field(min_length=1)],
        data: Json = None,
        priority: Annotated[int, Field(ge=1, le=5)] = 3,
    ) -> str:
        """Tell everybody who has subscribed to a topic something. You do not hear it yourself.

        Args:
            topic: Its name, such as ships; it need not be there yet.
            text: What to say.
            data: Structured data to send along, by which subscribers may filter.
            priority: 1 is the most urgent, 5 the least.
        """
        call = current_call()
        if len(call.causation) >= CHAIN:
            raise TerminalError(
                f"not published: {CHAIN} messages led to this one already, each to the next, and that is the limit; "
                "answer with what you know"
            )
        fields: dict[str, object] = {
            # The same for every attempt of the call, so the topic takes it once.
            "id": call.key,
            "text": text,
            "sender": agent_workflow_id(call.agent),
            "priority": priority,
            "causation": [*call.causation, call.message_id] if call.message_id else [*call.causation],
            "parts": [] if data is None else [{"type": "data", "data": data}],
        }
        try:
            await topics.publish(topic, read_object(Message, "message", fields))
        except InvalidInput as error:
            raise TerminalError(str(error)) from error
        return f"published on {topic}; whoever has subscribed reads it in time"

    @tool(timeout=30.0)
    async def subscribe(topic: str, filter: JsonObject | None = None) -> str:
        """Be told from now on what is published on a topic. Subscribing again changes the filter.

        Args:
            topic: Its name, such as ships; it need not be there yet.
            filter: What you want; without one, everything. One of
                {"type": "text", "contains": "storm"}, {"type": "sender", "senders": ["agent/radar*"]},
                {"type": "priority", "at_most": 2}, {"type": "kind", "kinds": ["question"]},
                {"type": "equals", "path": "ship.name", "value": "Corvina"},
                {"type": "in", "path": "port", "values": ["Hull", "Kiel"]}, {"type": "exists", "path": "ship.cargo"},
                where paths lead into the data, or some of them together as
                {"type": "all", "of": [...]}, {"type": "any", "of": [...]}, {"type": "not", "of": {...}}.
        """
        try:
            await topics.subscribe(topic, agent_workflow_id(current_call().agent), filter)
        except (InvalidInput, AgentStopped) as error:
            raise TerminalError(str(error)) from error
        return f"you are told what is published on {topic}" + (", where your filter holds" if filter else "")

    @tool(timeout=30.0)
    async def unsubscribe(topic: str) -> str:
        """Be told no more of what is published on a topic.

        Args:
            topic: Its name, such as ships.
        """
        try:
            await topics.unsubscribe(topic, agent_workflow_id(current_call().agent))
        except (InvalidInput, AgentStopped) as error:
            raise TerminalError(str(error)) from error
        return f"you are told nothing more of {topic}"

    return [publish, subscribe, unsubscribe]
