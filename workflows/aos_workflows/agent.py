"""The eternal workflow that runs any agent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NoReturn

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey, SearchAttributeUpdate, VersioningBehavior
from temporalio.exceptions import ActivityError, is_cancelled_exception

from aos.control import Changes, Letters, Lookup, Stop
from aos.errors import AgentStopped, AosError, InvalidInput
from aos.limits import MESSAGE_BYTES, SPEC_BYTES
from aos.message import Event, Message, Reply
from aos.names import AGENT_WORKFLOW, TASK_TIMEOUT
from aos.reading import check_size, problems
from aos.spec import AgentSpec
from aos.views import AgentStatus, DeadLetters, Farewell, InboxView, LettersSettled, TranscriptView
from aos_activities.archive import Page
from aos_workflows import shelf, views
from aos_workflows.birth import initial_state
from aos_workflows.carrying import CARRIED_BYTES, LATE_BYTES, lighten
from aos_workflows.inbound import NOTHING, is_given, message_id, read, read_or_refuse, refusal, text_of
from aos_workflows.intake import Intake
from aos_workflows.letters import DeadOffice
from aos_workflows.messaging import Messaging
from aos_workflows.migrations import dump_state
from aos_workflows.preparation import prepare
from aos_workflows.state import AgentState
from aos_workflows.turns import TURN_BYTES, Turns
from aos_workflows.waits import Break, Probe
from aos_workflows.waking import Alarm, post_due

URGENT_EVENTS = 8_000
"""History events at which a rollover does not wait for the model: a run takes 10,000 signals at most."""

URGENT_ASKS = 1_800
"""Asks in a run at which a rollover does not wait for the model: a run takes 2,000 updates at most."""

WAITING_ASKS = 8
"""Asks that wait in a run at a time. A server takes ten updates at a time, and two are left for short ones."""

_SIGNALS = (
    "send {text, and optionally id, sender, mode, priority, wake}; event {type, source, id, data}, as in CloudEvents; "
    "pause: take no more steps, messages wait; resume; stop: end after the turn under way, or {when: now}; "
    "reply, probe, break: among agents, about what they wait for from each other"
)

_STATUS = SearchAttributeKey.for_keyword("AosStatus")
_KIND = SearchAttributeKey.for_keyword("AosKind")
_SKILLS = SearchAttributeKey.for_keyword_list("AosSkills")


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
            self._state = initial_state(given)
        except InvalidInput as error:
            self._refused = error
            self._state = AgentState(spec=AgentSpec(name="refused"), life="", started=workflow.time())
        self._letters = DeadOffice(self._state, self._replayed)
        self._messaging = Messaging(self._state, self._letters, self._replayed)
        self._intake = Intake(self._state, self._messaging, self._letters)
        self._turns = Turns(self._state, self._messaging, self._must_yield, self._rollover_due)

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> Farewell:
        """Live until stopped."""
        if self._refused:
            raise refusal(self._refused)
        state = self._state
        self._messaging.go()
        try:
            if not state.program:
                async with self._configuring:
                    await self._apply(state.spec)
            while not state.stop_reason:
                await self._rest()
                if self._rollover_due():
                    await self._roll_over()
                if state.unkept:
                    await self._letters.keep()
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
        if state.stop_reason or state.unkept or self._rollover_due() or self._alarm.due != state.schedule.next_due:
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
        if state.turn is None and has_work:
            letters = mailbox.take(state.spec.batch, TURN_BYTES)
            if letters := self._messaging.timely(letters):
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
            changes: list[SearchAttributeUpdate[Any]] = [_KIND.value_set("agent"), _STATUS.value_set(status)]
            if skills := self._state.spec.skills:
                changes.append(_SKILLS.value_set(skills))
            elif workflow.info().typed_search_attributes.get(_SKILLS):
                changes.append(_SKILLS.value_unset())
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
        await self._messaging.until_sent()
        await self._turns.put_down()
        await lighten(state.mailbox, CARRIED_BYTES, LATE_BYTES)
        await self._letters.lighten()
        if (turn := state.turn) and sum(len(message.model_dump_json()) for message in turn.letters) > CARRIED_BYTES:
            await self._turns.keep_letters(turn)
        await workflow.wait_condition(workflow.all_handlers_finished)
        # Nothing is awaited from here on: what a handler did until now is in the state that is carried.
        state.replies = state.replies.carried()
        state.rollovers += 1
        workflow.continue_as_new({"resume": dump_state(state)}, task_timeout=TASK_TIMEOUT)

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
        await self._turns.put_down()
        self._messaging.say_farewell()
        undelivered += await lighten(state.mailbox, 0, 0)
        await self._letters.lighten()
        await self._messaging.until_sent()
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
                    self._intake.take_in(read(Message, "message", given, MESSAGE_BYTES))
                case "event":
                    self._intake.take_in_event(read(Event, "event", given, MESSAGE_BYTES), given)
                case "reply":
                    self._messaging.answered(read(Reply, "reply", given, MESSAGE_BYTES))
                case "probe":
                    self._messaging.probed(read(Probe, "probe", given, MESSAGE_BYTES))
                case "break":
                    self._messaging.broken(read(Break, "break", given, MESSAGE_BYTES))
                case "pause" | "resume":
                    self._state.paused = name == "pause"
                    self._announce()
                case "stop":
                    self._stop(read(Stop, "stop", given, SPEC_BYTES) if is_given(given) else Stop())
                case _:
                    raise InvalidInput(
                        name, ["there is no such signal; there are send, event, reply, pause, resume, stop"]
                    )
        except InvalidInput as error:
            self._intake.bury("", str(error), text_of(given), "unreadable")

    def _replayed(self, message: Message) -> None:
        """Take in a message that was a dead letter; one that could not be delivered is sent again."""
        if message.to in ("", self._messaging.address):
            self._intake.take_in(message)
        else:
            self._messaging.send(message)

    @workflow.update(description="Ask the agent something, and get its reply: {text}, as for send")
    async def ask(self, message: RawValue = NOTHING) -> Reply:
        """Put a message into the mailbox and return its reply, or `pending` when the workflow rolls over first."""
        asked = read(Message, "message", message, MESSAGE_BYTES)
        info = workflow.current_update_info()
        self._asked += 1
        asked = self._intake.take_in(asked, asked=True, fallback_id=message_id(info.id) if info else "")
        # A rollover waits until no handler is at work, so none may begin then what takes longer than a task.
        if not asked.wait or self._rolling or self._asking >= WAITING_ASKS:
            return self._state.replies.get(asked.id) or Reply(id=asked.id, status="pending")
        self._asking += 1
        try:
            return await self._intake.reply_to(asked.id, lambda: self._rolling, lambda: self._leaving)
        finally:
            self._asking -= 1

    @ask.validator
    def _validate_ask(self, message: RawValue = NOTHING) -> None:
        self._refuse_if_gone()
        self._intake.check(message)

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

    @workflow.update(description="Take dead letters in once more, under new ids: {ids} or {all: true}")
    async def replay_letters(self, wanted: RawValue = NOTHING) -> LettersSettled:
        """Take dead letters in once more."""
        return await self._letters.settle(read(Letters, "letters", wanted, SPEC_BYTES), replay=True)

    @workflow.update(description="Let go of dead letters: {ids} or {all: true}")
    async def drop_letters(self, wanted: RawValue = NOTHING) -> LettersSettled:
        """Let go of dead letters."""
        return await self._letters.settle(read(Letters, "letters", wanted, SPEC_BYTES), replay=False)

    @replay_letters.validator
    @drop_letters.validator
    def _validate_letters(self, wanted: RawValue = NOTHING) -> None:
        self._refuse_if_gone()
        read_or_refuse(Letters, "letters", wanted, SPEC_BYTES)

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


def _is(state: AgentState, number: int) -> bool:
    return state.turn is not None and state.turn.number == number
