"""The eternal workflow that runs any agent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

from pydantic import BaseModel, Field, JsonValue, ValidationError
from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey, VersioningBehavior
from temporalio.exceptions import ActivityError, is_cancelled_exception

from aos.control import Changes, Lookup, Stop
from aos.errors import AgentStopped, AosError, InvalidInput, MessageFailed, ReplyForgotten
from aos.limits import MESSAGE_BYTES, SPEC_BYTES
from aos.message import Event, Message, Reply
from aos.names import AGENT_WORKFLOW, TASK_TIMEOUT, agent_workflow_id
from aos.reading import check_size, problems
from aos.spec import AgentSpec
from aos.views import AgentStatus, DeadLetter, DeadLetters, DeathKind, Farewell, InboxView, TranscriptView
from aos_activities.archive import Page
from aos_workflows import shelf, views
from aos_workflows.inbound import NOTHING, is_given, message_id, read, refusal
from aos_workflows.migrations import dump_state, load_state
from aos_workflows.preparation import prepare
from aos_workflows.replies import reply_with
from aos_workflows.state import AgentState, life_of
from aos_workflows.turns import TURN_BYTES, Turns
from aos_workflows.waking import Alarm, event_message, post_due

CARRIED_BYTES = 8 * 1024
"""Most bytes of waiting messages that cross a rollover in the state; the rest waits in the store."""

URGENT_EVENTS = 8_000
"""History events at which a rollover does not wait for the model: a run takes 10,000 signals at most."""

URGENT_ASKS = 1_800
"""Asks in a run at which a rollover does not wait for the model: a run takes 2,000 updates at most."""

WAITING_ASKS = 8
"""Asks that wait in a run at a time. A server takes ten updates at a time, and two are left for short ones."""

_SIGNALS = (
    "send {text, and optionally id, sender, mode, priority, wake}; event {type, source, id, data}, as in CloudEvents; "
    "pause: take no more steps, messages wait; resume; stop: end after the turn under way, or {when: now}"
)

_STATUS = SearchAttributeKey.for_keyword("AosStatus")
_KIND = SearchAttributeKey.for_keyword("AosKind")


class Resume(BaseModel):
    """The input of a run that goes on from another."""

    resume: dict[str, object] = Field(default_factory=dict[str, object])


@workflow.defn(name=AGENT_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class PerpetualAgent:
    """An agent. Start it with `{"name": "...", "purpose": "..."}` under the id `agent/<name>`."""

    @workflow.init
    def __init__(self, given: RawValue = NOTHING) -> None:
        """Build the state before any handler runs."""
        self._refused: AosError | None = None
        self._rolling = False
        self._leaving = False
        self._asking = self._asked = 0
        self._configuring = asyncio.Lock()
        self._alarm = Alarm()
        try:
            self._state = _initial_state(given)
        except InvalidInput as error:
            self._refused = error
            self._state = AgentState(spec=AgentSpec(name="refused"), life="", started=workflow.time())
        self._turns = Turns(self._state, self._must_yield)

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> Farewell:
        """Live until stopped."""
        if self._refused:
            raise refusal(self._refused)
        state = self._state
        try:
            if not state.program:
                async with self._configuring:
                    await self._apply(state.spec)
            while not state.stop_reason:
                await self._rest()
                if self._rollover_due():
                    await self._roll_over()
                if not state.paused and not state.stop_reason:
                    await self._live()
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            state.stop_reason = state.stop_reason or "cancelled"
            await self._leave()
            raise
        return await self._leave()

    async def _rest(self) -> None:
        self._alarm.set(self._state.schedule.next_due)
        workflow.set_current_details(views.in_words(self._state))
        await workflow.wait_condition(self._has_cause)

    def _has_cause(self) -> bool:
        state = self._state
        if state.stop_reason or self._rollover_due() or self._alarm.due != state.schedule.next_due:
            return True
        return not state.paused and (state.turn is not None or state.mailbox.has_work or self._alarm.rings())

    async def _live(self) -> None:
        """Do one thing: go on with the turn under way, take mail, or look what is due."""
        state, mailbox = self._state, self._state.mailbox
        news = False
        if state.turn is None and self._alarm.rings():
            news = await post_due(state, self._alarm.now())
        while state.turn is None and (page := mailbox.page_needed()):
            mailbox.bring_back(page, (await shelf.bring_back(page.ref)).entries)
        has_work = news or mailbox.has_work
        if state.turn is None and has_work and (letters := mailbox.take(state.spec.batch, TURN_BYTES)):
            self._turns.begin(letters)
        if state.turn is not None:
            number = state.turn.number
            await self._turns.work(lambda: state.stop_now or (mailbox.interrupts and _is(state, number)))

    async def _apply(self, spec: AgentSpec) -> None:
        """Make `spec` the agent's own.

        Raises:
            ApplicationError: The workers cannot run it; nothing was changed.
        """
        prepared = await prepare(spec)
        state = self._state
        state.spec, state.program, state.tools = spec, prepared.program, prepared.tools
        state.search_attributes = prepared.search_attributes
        state.schedule.plan(spec.triggers, workflow.time(), workflow.random().random)
        workflow.upsert_memo({"AosSpec": spec.name, "AosVersion": spec.version})
        self._announce()

    def _announce(self) -> None:
        if self._state.search_attributes:
            status = "paused" if self._state.paused else "active"
            changes = [_KIND.value_set("agent"), _STATUS.value_set(status)]
            workflow.upsert_search_attributes(changes)  # pyright: ignore[reportUnknownMemberType] - the SDK's signature
        if self._state.turn is None:
            workflow.set_current_details(views.in_words(self._state))

    # Rollover

    def _rollover_due(self) -> bool:
        info = workflow.info()
        return (
            info.get_current_history_length() >= min(self._state.spec.rollover_events, URGENT_EVENTS)
            or info.is_continue_as_new_suggested()
        )

    def _must_yield(self) -> bool:
        return workflow.info().get_current_history_length() >= URGENT_EVENTS or self._asked >= URGENT_ASKS

    async def _roll_over(self) -> NoReturn:
        state = self._state
        self._rolling = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._lighten(CARRIED_BYTES)
        await workflow.wait_condition(workflow.all_handlers_finished)
        # Nothing is awaited from here on: what a handler did until now is in the state that is carried.
        state.replies = state.replies.carried()
        state.rollovers += 1
        workflow.continue_as_new({"resume": dump_state(state)}, task_timeout=TASK_TIMEOUT)

    async def _lighten(self, limit: int) -> list[str]:
        """Move into the store what would make the state too large, and return the ids of the messages among it."""
        mailbox = self._state.mailbox
        ids: list[str] = []
        while surplus := mailbox.surplus(limit):
            entries: list[JsonValue] = [letter.model_dump(mode="json") for letter in surplus]
            mailbox.set_aside(await shelf.set_aside(Page(entries=entries)), surplus)
            ids[:0] = [letter.message.id for letter in surplus]
        while old := self._state.old_dead():
            entries = [letter.model_dump(mode="json") for letter in old[:500]]
            self._state.dead_older = await shelf.set_aside(Page(entries=entries, before=self._state.dead_older))
            del self._state.dead[: len(entries)]
        return ids

    async def _leave(self) -> Farewell:
        """Tell everybody who waits, and put what was not handled into the store."""
        state = self._state
        self._leaving = True
        workflow.set_current_details(f"Stopped: {state.stop_reason}")
        undelivered = state.turn.ids if state.turn else []
        pages: list[str] = []
        if state.turn and state.turn.new:
            pages.append(await shelf.set_aside(Page(entries=[item.model_dump(mode="json") for item in state.turn.new])))
        await workflow.wait_condition(workflow.all_handlers_finished)
        undelivered += await self._lighten(0)
        return Farewell(
            name=state.spec.name,
            reason=state.stop_reason,
            handled=state.handled,
            failed=state.failed,
            undelivered=undelivered[:1000],
            undelivered_pages=[*pages, *(page.ref for page in state.mailbox.aside)],
            spend=views.spend(state),
        )

    # Messages

    @workflow.signal(dynamic=True, description=_SIGNALS)
    def signalled(self, name: str, args: Sequence[RawValue]) -> None:
        """Do what a signal says. One that cannot be read becomes a dead letter.

        All signals come through here: Temporal calls a handler of its own name with as many arguments as were sent,
        and one too many would leave the workflow stuck.
        """
        given = args[0] if args else NOTHING
        try:
            if len(args) > 1:
                raise InvalidInput(name, [f"it takes one JSON object, {len(args)} arguments were given"])
            match name:
                case "send":
                    self._take_in(read(Message, "message", given, MESSAGE_BYTES))
                case "event":
                    self._take_in_event(read(Event, "event", given, MESSAGE_BYTES), given)
                case "pause" | "resume":
                    self._state.paused = name == "pause"
                    self._announce()
                case "stop":
                    self._stop(read(Stop, "stop", given, SPEC_BYTES) if is_given(given) else Stop())
                case _:
                    raise InvalidInput(name, ["there is no such signal; there are send, event, pause, resume, stop"])
        except InvalidInput as error:
            self._bury("", str(error), _text_of(given), "unreadable")

    @workflow.update(description="Ask the agent something, and get its reply: {text}, as for send")
    async def ask(self, message: RawValue = NOTHING) -> Reply:
        """Put a message into the mailbox and return its reply, or `pending` when the workflow rolls over first."""
        asked = read(Message, "message", message, MESSAGE_BYTES)
        info = workflow.current_update_info()
        self._asked += 1
        asked = self._take_in(asked, asked=True, fallback_id=message_id(info.id) if info else "")
        # A rollover waits until no handler is at work, so none may begin then what takes longer than a task.
        if not asked.wait or self._rolling or self._asking >= WAITING_ASKS:
            return self._state.replies.get(asked.id) or Reply(id=asked.id, status="pending")
        self._asking += 1
        try:
            return await self._reply_to(asked.id)
        finally:
            self._asking -= 1

    @ask.validator
    def _validate_ask(self, message: RawValue = NOTHING) -> None:
        self._refuse_if_gone()
        try:
            read(Message, "message", message, MESSAGE_BYTES)
        except InvalidInput as error:
            raise refusal(error) from None

    def _take_in_event(self, event: Event, given: RawValue) -> None:
        if told := event_message(self._state, event):
            self._take_in(told)
        else:
            self._bury(event.id, f"no trigger wants events of type {event.type!r}", _text_of(given), "undeliverable")

    def _take_in(self, message: Message, *, asked: bool = False, fallback_id: str = "") -> Message:
        if not message.id:
            message = message.model_copy(update={"id": fallback_id or str(workflow.uuid4())})
        if self._state.mailbox.offer(message, workflow.time(), asked=asked) == "forgotten":
            reason = "it may have been handled before, and that was too long ago to tell; send it with a new id"
            self._bury(message.id, reason, message.text, "undeliverable", message.sender)
            if asked:
                raise refusal(MessageFailed(message.id, reason))
        return message

    async def _reply_to(self, message_id: str) -> Reply:
        state = self._state
        if state.replies.get(message_id) is None and not state.is_busy_with(message_id):
            if thought := await shelf.find_reply(state.life, message_id):
                return reply_with(thought, message_id)
            if state.replies.get(message_id) is None and not state.may_hold(message_id):
                raise refusal(ReplyForgotten(message_id))
        await workflow.wait_condition(
            lambda: state.replies.get(message_id) is not None or self._rolling or self._leaving
        )
        if reply := state.replies.get(message_id):
            return _or_failure(reply)
        if self._rolling:
            return Reply(id=message_id, status="pending")
        raise refusal(AgentStopped(state.spec.name))

    def _bury(self, message_id: str, reason: str, text: str, kind: DeathKind, sender: str = "") -> None:
        now = datetime.fromtimestamp(workflow.time(), UTC)
        letter = DeadLetter.of(
            id=message_id or str(workflow.uuid4()), reason=reason, text=text, at=now, kind=kind, sender=sender
        )
        self._state.bury(letter)

    # Control

    def _stop(self, wanted: Stop) -> None:
        self._state.stop_reason = wanted.reason or "stopped on request"
        self._state.stop_now = wanted.when == "now"

    @workflow.update(description="Change fields of the spec, such as purpose, instructions, model, tools or triggers")
    async def configure(self, changes: RawValue = NOTHING) -> AgentSpec:
        """Change the agent while it lives, from its next step on, and return its whole spec."""
        async with self._configuring:
            spec = self._changed(changes)
            await self._apply(spec)
        return spec

    @configure.validator
    def _validate_configure(self, changes: RawValue = NOTHING) -> None:
        self._refuse_if_gone()
        self._changed(changes)

    def _changed(self, changes: RawValue) -> AgentSpec:
        try:
            spec = read(Changes, "changes", changes, SPEC_BYTES).applied_to(self._state.spec)
            check_size("agent", spec, SPEC_BYTES)
            return spec
        except InvalidInput as error:
            raise refusal(error) from None
        except ValidationError as error:
            raise refusal(InvalidInput("changes", problems(AgentSpec, error))) from None

    def _refuse_if_gone(self) -> None:
        if self._refused:
            raise refusal(self._refused)
        if self._state.stop_reason:
            raise refusal(AgentStopped(self._state.spec.name))

    # Queries

    def _shown(self) -> AgentState:
        if self._refused:
            raise refusal(self._refused)
        return self._state

    @workflow.query(description="How the agent is")
    def status(self) -> AgentStatus:
        """Return how the agent is."""
        return views.status(self._shown(), workflow.get_current_details())

    @workflow.query(description="The messages that wait")
    def inbox(self) -> InboxView:
        """Return the messages that wait."""
        return views.inbox(self._shown())

    @workflow.query(description="The newest part of the conversation, as previews")
    def transcript(self) -> TranscriptView:
        """Return the newest part of the conversation."""
        return TranscriptView(head=self._shown().head, lines=self._shown().recent)

    @workflow.query(description="The agent's spec as it is now")
    def spec(self) -> AgentSpec:
        """Return the spec."""
        return self._shown().spec

    @workflow.query(description="Messages that could not be read or handled")
    def dead_letters(self) -> DeadLetters:
        """Return the newest dead letters."""
        return views.dead_letters(self._shown())

    @workflow.query(description="What became of messages: {ids}")
    def replies(self, lookup: RawValue = NOTHING) -> list[Reply]:
        """Return the replies to messages, `pending` for those that wait; those not known any more are left out."""
        return views.replies(self._shown(), read(Lookup, "replies", lookup, SPEC_BYTES).ids)


def _initial_state(given: RawValue) -> AgentState:
    info = workflow.info()
    if info.continued_run_id and given.payload.data.startswith(b'{"resume":'):
        return load_state(Resume.model_validate_json(given.payload.data).resume)
    spec = read(AgentSpec, "agent", given, SPEC_BYTES)
    if info.workflow_id != agent_workflow_id(spec.name):
        problem = f"name: the agent {spec.name!r} must be started with the workflow id {agent_workflow_id(spec.name)!r}"
        raise InvalidInput("agent", [problem])
    return AgentState(spec=spec, life=life_of(info.first_execution_run_id or info.run_id), started=workflow.time())


def _or_failure(reply: Reply) -> Reply:
    if reply.status == "failed":
        raise refusal(MessageFailed(reply.id, reply.error))
    return reply


def _is(state: AgentState, number: int) -> bool:
    return state.turn is not None and state.turn.number == number


def _text_of(raw: RawValue) -> str:
    return raw.payload.data[:4000].decode(errors="replace")
