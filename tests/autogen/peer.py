# /// script
# requires-python = ">=3.11"
# dependencies = ["autogen-agentchat==0.7.5", "autogen-ext==0.7.5"]
# ///
"""AutoGen's side: reads cases as JSON, one object by name, and writes what each came to, as one object by name."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Handoff, Response
from autogen_agentchat.conditions import (
    ExternalTermination,
    FunctionalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from autogen_agentchat.messages import BaseChatMessage, HandoffMessage, StopMessage, TextMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

INFO = {
    "vision": False,
    "function_calling": True,
    "json_output": False,
    "family": "unknown",
    "structured_output": False,
    "multiple_system_messages": True,
}
CASE_SECONDS = 20.0
_TYPES = {
    "MaxMessageTermination": "max_messages",
    "TextMentionTermination": "text_mention",
    "TextMessageTermination": "text_message",
    "StopMessageTermination": "stop_message",
    "TokenUsageTermination": "token_usage",
    "TimeoutTermination": "timeout",
    "HandoffTermination": "handoff",
    "ExternalTermination": "external",
    "SourceMatchTermination": "source",
    "FunctionCallTermination": "function_call",
    "FunctionalTermination": "function",
}


class Watched:
    """Remembers which conditions it was that held: `stop_reason` has their words only."""

    def __init__(self) -> None:
        self.held: list[str] = []


class Speaker(BaseChatAgent):
    """An agent for what AssistantAgent cannot do: say that it is the end, take its time, have the task ended."""

    def __init__(self, name: str, replies: list[dict[str, Any]], outside: list[ExternalTermination]) -> None:
        super().__init__(name, f"does {name}'s work")
        self._replies = iter(replies)
        self._outside = outside

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage, StopMessage, HandoffMessage)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: object) -> Response:
        reply = next(self._replies)
        await asyncio.sleep(reply.get("after", 0))
        if reply.get("outside"):
            for condition in self._outside:
                condition.set()
        if reply.get("stop"):
            return Response(chat_message=StopMessage(content=reply["text"], source=self.name))
        if target := reply.get("handoff"):
            return Response(chat_message=HandoffMessage(content=reply["text"], target=target, source=self.name))
        return Response(chat_message=TextMessage(content=reply["text"], source=self.name))

    async def on_reset(self, cancellation_token: object) -> None:
        """Nothing is kept."""


def look() -> str:
    """Look."""
    return "seen"


def client(answers: list[Any]) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(answers, model_info=INFO)


def result(reply: dict[str, Any], *calls: str) -> CreateResult:
    tokens = reply.get("tokens", [0, 0])
    usage = RequestUsage(prompt_tokens=tokens[0], completion_tokens=tokens[1])
    content: Any = [FunctionCall(id=name, name=name, arguments="{}") for name in calls] or reply["text"]
    finish = "function_calls" if calls else "stop"
    return CreateResult(finish_reason=finish, content=content, usage=usage, cached=False)


def agent(name: str, case: dict[str, Any], outside: list[ExternalTermination]) -> BaseChatAgent:
    replies = case["replies"][name]
    if any(reply.keys() & {"stop", "after", "outside"} for reply in replies):
        return Speaker(name, replies, outside)
    answers: list[CreateResult] = []
    targets: dict[str, str] = {}
    for reply in replies:
        if called := reply.get("called"):
            answers.append(result({**reply, "tokens": [0, 0]}, *called))
        if target := reply.get("handoff"):
            targets[target] = reply["text"]
            answers.append(result(reply, f"transfer_to_{target}"))
        else:
            answers.append(result(reply))
    handoffs = [Handoff(target=target, message=text) for target, text in targets.items()]
    if case["strategy"]["type"] == "swarm" and not handoffs:
        handoffs = [Handoff(target="user")]
    return AssistantAgent(
        name,
        client(answers),
        description=f"does {name}'s work",
        handoffs=handoffs,
        tools=[look],
        reflect_on_tool_use=True,
    )


def condition(given: dict[str, Any], outside: list[ExternalTermination]) -> Any:
    match given["type"]:
        case "any" | "all" as type_:
            first, *rest = [condition(part, outside) for part in given["of"]]
            for part in rest:
                first = first | part if type_ == "any" else first & part
            return first
        case "max_messages":
            return MaxMessageTermination(given["count"])
        case "text_mention":
            return TextMentionTermination(given["text"], sources=given["sources"] or None)
        case "text_message":
            return TextMessageTermination(given.get("source"))
        case "stop_message":
            return StopMessageTermination()
        case "token_usage":
            return TokenUsageTermination(given.get("total"), given.get("input"), given.get("output"))
        case "timeout":
            return TimeoutTermination(given["after"])
        case "handoff":
            return HandoffTermination(given["target"])
        case "external":
            outside.append(ExternalTermination())
            return outside[-1]
        case "source":
            return SourceMatchTermination(given["sources"])
        case "function_call":
            return FunctionCallTermination(given["function"])
        case "function":
            text = given["does"]["mentions"]
            return FunctionalTermination(lambda messages: any(text in message.to_text() for message in messages))
        case other:
            raise ValueError(other)


def functions(case: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    strategy, does = case["strategy"], case.get("does", {})
    made: dict[str, Callable[..., Any]] = {}
    if strategy.get("function"):
        made["selector_func"] = lambda messages: does["after"].get(messages[-1].source)
    if strategy.get("candidates"):
        made["candidate_func"] = lambda messages: does["names"]
    return made


def team(case: dict[str, Any]) -> Any:
    outside: list[ExternalTermination] = []
    agents = [agent(name, case, outside) for name in case["replies"]]
    strategy = case["strategy"]
    common: dict[str, Any] = {"max_turns": case.get("max_turns")}
    if end := case.get("end"):
        common["termination_condition"] = condition(end, outside)
    match strategy["type"]:
        case "round_robin":
            return RoundRobinGroupChat(agents, **common)
        case "swarm":
            return Swarm(agents, **common)
        case "selector":
            return SelectorGroupChat(
                agents,
                client(case["model"]),
                allow_repeated_speaker=strategy.get("allow_repeats", False),
                max_selector_attempts=strategy.get("attempts", 3),
                **functions(case),
                **common,
            )
        case "planner":
            if common["max_turns"] is None:
                del common["max_turns"]
            return MagenticOneGroupChat(
                agents, client(case["model"]), max_stalls=strategy.get("max_stalls", 3), **common
            )
        case _:
            return flow(strategy, agents, common)


def flow(strategy: dict[str, Any], agents: list[BaseChatAgent], common: dict[str, Any]) -> GraphFlow:
    builder = DiGraphBuilder()
    for one in agents:
        builder.add_node(one)
    for edge in strategy["edges"]:
        builder.add_edge(
            edge["source"],
            edge["target"],
            edge["condition"] or None,
            activation_group=edge["group"],
            activation_condition=edge["when"],
        )
    if strategy["start"]:
        builder.set_entry_point(strategy["start"][0])
    return GraphFlow(agents, builder.build(), **common)


def kind(message: BaseChatMessage) -> str:
    if isinstance(message, HandoffMessage):
        return "handoff"
    return "stop" if isinstance(message, StopMessage) else "text"


async def play(case: dict[str, Any], task: str) -> dict[str, Any]:
    made = team(case)
    lines: list[BaseChatMessage] = []
    reason = None
    error = ""
    try:
        async with asyncio.timeout(CASE_SECONDS):
            async for message in made.run_stream(task=task):
                if isinstance(message, BaseChatMessage):
                    lines.append(message)
                elif hasattr(message, "stop_reason"):
                    reason = message.stop_reason
    except Exception as problem:  # noqa: BLE001 - how a case fails is what it came to
        error = f"{type(problem).__name__}: {problem}".splitlines()[0]
    members = [line for line in lines if line.source in case["replies"]]
    final = lines[-1] if lines and lines[-1].source == "MagenticOneOrchestrator" else None
    return {
        "speakers": [line.source for line in members],
        "texts": [line.to_text() for line in members],
        "kinds": [kind(line) for line in members],
        "stop": stop(reason, error),
        "reason": reason,
        "result": final.to_text() if final else "",
        "error": error,
        "component": component(made),
    }


def component(made: Any) -> dict[str, Any] | None:
    """Return a team as AutoGen writes it down, or None where it cannot."""
    try:
        return made.dump_component().model_dump(mode="json")
    except (NotImplementedError, TypeError, ValueError, AttributeError):
        return None


def stop(reason: str | None, error: str) -> list[str]:
    """Return which conditions ended a task, from AutoGen's words for it."""
    if error or reason is None:
        return ["error"]
    said = {
        "Maximum number of messages": "max_messages",
        "Maximum number of turns": "max_turns",
        "Digraph execution is complete": "through",
        "' mentioned": "text_mention",
        "Text message received": "text_message",
        "Stop message received": "stop_message",
        "Token usage limit": "token_usage",
        "Timeout of": "timeout",
        "Handoff to": "handoff",
        "External termination": "external",
        "' answered": "source",
        "' was executed": "function_call",
        "Functional termination": "function",
    }
    return sorted(type_ for words, type_ in said.items() for _ in range(reason.count(words))) or ["through"]


async def main() -> None:
    logging.disable(logging.CRITICAL)
    given = json.load(sys.stdin)
    cases = given["cases"]
    # One after the other: a time-out of AutoGen's counts from when it is made.
    json.dump({name: await play(case, given["task"]) for name, case in cases.items()}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
