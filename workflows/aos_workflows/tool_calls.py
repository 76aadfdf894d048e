"""Acting: the tool calls of one step, side by side, each under its policy, each with exactly one result."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout
from temporalio.workflow import ActivityHandle

from aos.conversation import ToolCall, ToolItem
from aos.errors import AosError
from aos.limits import clip, cut_bytes
from aos.tool_contracts import ToolOutcome, ToolPolicy, ToolRequest
from aos_activities.tools import ToolHost
from aos_workflows.errands import Errands
from aos_workflows.handles import abandon
from aos_workflows.options import clamped, tool_heartbeat
from aos_workflows.schedule import Timer
from aos_workflows.state import AgentState, OpenStep, Turn

TIMERS = 100
"""Timers that an agent may have set at a time."""

_GRACE = 5.0
_WARNINGS = 2
_ERROR_BYTES = 2000


class LoopBroken(AosError):
    """The model kept calling one tool with the same arguments."""

    def __init__(self, tool: str, times: int) -> None:
        super().__init__(
            f"the model called {tool} {times} times with the same arguments for one message, and went on when told; "
            "raise max_repeats if that is meant"
        )


def check_repeats(turn: Turn, call: ToolCall, limit: int) -> str:
    """Count a call, and return what the model is told if it was made too often.

    Raises:
        LoopBroken: It went on after it was told.
    """
    written = json.dumps([call.name, call.arguments, call.malformed], sort_keys=True)
    digest = hashlib.sha256(written.encode()).hexdigest()[:12]
    times = turn.repeats[digest] = turn.repeats.get(digest, 0) + 1
    if times > limit + _WARNINGS:
        raise LoopBroken(call.name, times)
    if times > limit:
        return f"not run: you called {call.name} with these arguments {limit} times already; use what it answered"
    return ""


class ToolCalls:
    """Carries out the tool calls of an agent.

    Args:
        state: The agent.
        errands: What it asks others.
    """

    def __init__(self, state: AgentState, errands: Errands) -> None:
        self._state = state
        self._errands = errands

    async def run(
        self, turn: Turn, step: OpenStep, cut: Callable[[], bool], yields: Callable[[], bool]
    ) -> list[ToolItem] | None:
        """Return one result for each call, in their order. Once `cut` holds, what still runs is cancelled.

        None: `yields` holds, and nothing but others' answers is waited for. A later call goes on with the same step.

        Raises:
            LoopBroken: The model repeats itself.
        """
        running = self._begin(turn, step) if not step.begun else {}
        open_errands = [index for index in step.errands if index not in step.results]
        asked = {index: asyncio.create_task(self._errands.work(turn, index)) for index in open_errands}
        await workflow.wait_condition(
            lambda: (
                cut()
                or (
                    all(handle.done() for handle, _ in running.values())
                    and (all(task.done() for task in asked.values()) or (yields() and self._errands.at_rest))
                )
            )
        )
        for index, (handle, policy) in running.items():
            step.results[index] = _item(step.calls[index], await _outcome(handle, policy))
        for index, task in asked.items():
            if task.done():
                step.results[index] = _item(step.calls[index], await task)
            else:
                task.cancel()
        if cut():
            self._give_up(turn, step)
        if len(step.results) < len(step.calls):
            return None
        return [step.results[index] for index in range(len(step.calls))]

    def _begin(self, turn: Turn, step: OpenStep) -> dict[int, tuple[ActivityHandle[ToolOutcome], ToolPolicy]]:
        refusals = [self._refusal(turn, call) for call in step.calls]
        running: dict[int, tuple[ActivityHandle[ToolOutcome], ToolPolicy]] = {}
        for index, (call, refused) in enumerate(zip(step.calls, refusals, strict=True)):
            if refused:
                step.results[index] = _item(call, ToolOutcome(text=refused, error=True))
            elif (policy := self._state.tools[call.name]).kernel:
                if outcome := self._carry_out(turn, index, call):
                    step.results[index] = _item(call, outcome)
            else:
                running[index] = self._start(turn, index, call, policy), policy
        step.begun = True
        return running

    def _carry_out(self, turn: Turn, index: int, call: ToolCall) -> ToolOutcome | None:
        return self._set_timer(call) if call.name == "set_timer" else self._errands.begin(turn, index, call)

    def _give_up(self, turn: Turn, step: OpenStep) -> None:
        self._errands.give_up(turn)
        for index, call in enumerate(step.calls):
            if index not in step.results:
                text = "given up: the turn was ended while the answer was waited for"
                step.results[index] = _item(call, ToolOutcome(text=text, error=True))

    def _refusal(self, turn: Turn, call: ToolCall) -> str:
        if call.name not in self._state.tools:
            return f"there is no tool {clip(call.name)!r}; there are: {', '.join(sorted(self._state.tools))}"
        if call.malformed:
            return f"the arguments are not a JSON object: {clip(call.malformed)}"
        policy = self._state.tools[call.name]
        if policy.permission and policy.permission not in self._state.spec.permissions:
            return f"this agent lacks the permission {policy.permission!r}"
        return check_repeats(turn, call, self._state.spec.max_repeats)

    def _start(self, turn: Turn, index: int, call: ToolCall, policy: ToolPolicy) -> ActivityHandle[ToolOutcome]:
        state = self._state
        return workflow.start_activity_method(
            ToolHost.run_tool,
            ToolRequest(
                tool=call.name,
                # The head tells calls apart that a reset workflow makes anew after another conversation.
                key=f"{state.life}/{turn.number}/{turn.step}/{index}/{state.head[:16]}",
                arguments=call.arguments,
                agent=state.spec.name,
                message_id=turn.ids[0] if turn.ids else "",
                conversation=state.head,
                causation=turn.causation,
                task=next((heard.task for heard in turn.heard if heard.task), ""),
                permissions=[each for each in policy.optional_permissions if each in state.spec.permissions],
            ),
            task_queue=policy.queue,
            start_to_close_timeout=timedelta(seconds=clamped(policy.timeout) + _GRACE),
            schedule_to_start_timeout=timedelta(seconds=clamped(state.spec.patience)),
            heartbeat_timeout=tool_heartbeat(policy.timeout),
            retry_policy=RetryPolicy(maximum_attempts=policy.attempts),
            summary=clip(f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}"),
        )

    def _set_timer(self, call: ToolCall) -> ToolOutcome:
        seconds, text = call.arguments.get("seconds"), call.arguments.get("text")
        if not isinstance(seconds, (int, float)) or not 0 <= seconds <= 10 * 366 * 86400 or not isinstance(text, str):
            return ToolOutcome(text="set_timer takes seconds, a number up to ten years, and text", error=True)
        if len(self._state.schedule.timers) >= TIMERS:
            return ToolOutcome(text=f"{TIMERS} timers are set already; wait for some to go off", error=True)
        timer = Timer(id=str(workflow.uuid4()), due=workflow.time() + seconds, text=cut_bytes(text, _ERROR_BYTES))
        self._state.schedule.timers.append(timer)
        return ToolOutcome(text=f"set: you will be told in {seconds:g} seconds")


def _item(call: ToolCall, outcome: ToolOutcome) -> ToolItem:
    return ToolItem(
        call_id=call.id,
        name=call.name,
        text=outcome.text,
        ref=outcome.ref,
        size=outcome.size,
        error=outcome.error,
    )


async def _outcome(handle: ActivityHandle[ToolOutcome], policy: ToolPolicy) -> ToolOutcome:
    if not handle.done():
        abandon(handle)
        text = "cancelled: the turn was ended while this ran; it may or may not have taken effect"
        return ToolOutcome(text=text, error=True)
    try:
        return await handle
    except ActivityError as error:
        return ToolOutcome(text=_told(error, policy), error=True)


def _told(error: ActivityError, policy: ToolPolicy) -> str:
    match error.cause:
        case ActivityTimeout(type=TimeoutType.SCHEDULE_TO_START):
            return f"no worker serves the task queue {policy.queue!r} of this tool"
        case ActivityTimeout(type=TimeoutType.HEARTBEAT):
            return "the worker of this tool was lost while it ran; it may or may not have taken effect"
        case ActivityTimeout():
            return f"it took longer than {policy.timeout:g} s; it may or may not have taken effect"
        case ApplicationError() as cause:
            return cut_bytes(cause.message, _ERROR_BYTES)
        case cause:
            return cut_bytes(str(cause or error), _ERROR_BYTES)
