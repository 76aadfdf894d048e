"""The eternal workflow that runs any team."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar, cast

from pydantic import BaseModel
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, SearchAttributeKey, VersioningBehavior
from temporalio.exceptions import ActivityError, is_cancelled_exception

from aos.control import Letters, Lookup, Stop
from aos.errors import AgentStopped, AosError, InvalidInput
from aos.limits import MESSAGE_BYTES, SPEC_BYTES, clip
from aos.message import Message, Reply
from aos.names import TASK_TIMEOUT, TEAM_WORKFLOW
from aos.team_control import EndTask, RosterChanges, TaskLookup, TeamChanges
from aos.team_spec import Member, TeamSpec
from aos.team_views import TaskList, TaskReport, TaskView, TeamFarewell, TeamStatus
from aos.views import DeadLetters, LettersSettled
from aos_activities.directory import Conditions, DirectoryActivities
from aos_workflows import shelf
from aos_workflows.inbound import NOTHING, is_given, message_id, read, read_or_refuse, refusal, text_of
from aos_workflows.letters import DeadOffice
from aos_workflows.options import STORE
from aos_workflows.outbox import Outgoing
from aos_workflows.postman import Postman
from aos_workflows.resume import carried
from aos_workflows.team import carrying, views
from aos_workflows.team.intake import TeamIntake
from aos_workflows.team.preparing import prepare
from aos_workflows.team.roster import Change, changed_roster, changed_spec, children_named
from aos_workflows.team.state import TeamState, dump_team, load_team
from aos_workflows.team.work import Work
from aos_workflows.waits import Break, Probe, Told, address_of

URGENT_EVENTS = 8_000
"""History events at which a rollover does not wait for consultations: a run takes 10,000 signals at most."""

URGENT_ASKS = 1_800
"""Asks in a run at which a rollover does not wait for consultations: a run takes 2,000 updates at most."""

WAITING_ASKS = 8
"""Asks that wait in a run at a time. A server takes ten updates at a time, and two are left for short ones."""

_TASK_BYTES = 1024 * 1024

_SIGNALS = (
    "send {text, and optionally id, sender, priority, deadline}: a task; pause: begin no turn; resume; "
    "stop {reason}: end the team and its children; reply, probe, break come from members"
)

_STATUS = SearchAttributeKey.for_keyword("AosStatus")
_KIND = SearchAttributeKey.for_keyword("AosKind")

M = TypeVar("M", bound=BaseModel)


@workflow.defn(name=TEAM_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class AgentTeam:
    """A team. Start it with `{"name": "...", "members": [...]}` under the id `team/<name>`."""

    @workflow.init
    def __init__(self, given: RawValue = NOTHING) -> None:
        """Build the state before any handler runs."""
        self._refused: AosError | None = None
        self._rolling = False
        self._leaving = False
        self._asking = self._asked = 0
        self._configuring = asyncio.Lock()
        try:
            self._state = _initial_state(given)
        except InvalidInput as error:
            self._refused = error
            nobody = Member(name="nobody", address="agent/nobody")
            self._state = TeamState(spec=TeamSpec(name="refused", members=[nobody]), life="", started=workflow.time())
        self._postman = Postman(self._state.outbox, self._undelivered)
        self._work = Work(self._state, self._postman.go)
        self._letters = DeadOffice(self._state, self._replayed)
        self._intake = TeamIntake(self._state, self._work, self._letters, self._tell)

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> TeamFarewell:
        """Live until stopped."""
        if self._refused:
            raise refusal(self._refused)
        state = self._state
        try:
            if not state.ready:
                await self._get_ready()
            self._begin_run()
            while not state.stop_reason:
                workflow.set_current_details(views.in_words(state))
                await workflow.wait_condition(self._has_cause)
                if self._may_roll_over():
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

    async def _get_ready(self) -> None:
        async with self._configuring:
            state = self._state
            checked, state.tools = await prepare(state.spec)
            state.search_attributes, state.ready = checked.search_attributes, True
            for member in state.spec.members:
                state.standing_of(member.name).condition = "starting" if member.is_child else "ready"
            workflow.upsert_memo({"AosSpec": state.spec.name, "AosVersion": state.spec.version})
            self._announce()

    def _begin_run(self) -> None:
        """Take up what a run before this one has left."""
        for member in self._state.spec.members:
            if member.is_child and self._state.standing_of(member.name).condition == "starting":
                self._work.asking.children.start(member)
        self._work.resume()
        self._postman.go()

    def _has_cause(self) -> bool:
        state = self._state
        if state.stop_reason or state.unkept or self._may_roll_over():
            return True
        return not state.paused and (self._work.has_cause or self._has_room())

    def _has_room(self) -> bool:
        """Whether a task waits that can be begun."""
        return self._state.mailbox.has_work and len(self._state.tasks) < self._state.spec.max_tasks

    async def _live(self) -> None:
        """Do what can be done now."""
        mailbox, work = self._state.mailbox, self._work
        work.holds_back = self._rollover_due()
        if work.alarm.rings() and (silent := work.look_at_the_time()):
            asyncio.create_task(self._look_after(silent))  # noqa: RUF006 - the workflow's loop keeps it
        while self._has_room():
            if page := mailbox.page_needed():
                mailbox.bring_back(page, (await shelf.bring_back(page.ref)).entries)
                continue
            for letter in mailbox.take(1, _TASK_BYTES):
                self._intake.begin(letter.message)
        work.go_on()

    async def _look_after(self, addresses: list[str]) -> None:
        """Find out which of those that are silent for long do not live any more."""
        try:
            found = await workflow.execute_activity_method(
                DirectoryActivities.conditions,
                Conditions(addresses=addresses),
                summary=clip(f"are they alive: {', '.join(addresses)}"),
                **STORE,
            )
        except ActivityError:
            return  # The next look is not far.
        for address, liveness in found.items():
            if liveness == "gone":
                self._work.asking.is_gone(address)

    def _undelivered(self, letter: Outgoing, reason: str) -> None:
        if not self._work.asking.undelivered(letter, reason) and letter.signal == "reply":
            body = cast("dict[str, Any]", letter.body)
            text = str(body.get("text") or body.get("error") or "")
            self._intake.bury(str(body.get("id", "")), f"{letter.to} took no reply: {reason}", text, "undeliverable")

    def _announce(self) -> None:
        if self._state.search_attributes:
            status = "paused" if self._state.paused else "active"
            changes = [_KIND.value_set("team"), _STATUS.value_set(status)]
            workflow.upsert_search_attributes(changes)  # pyright: ignore[reportUnknownMemberType] - the SDK's signature

    # Rollover

    def _rollover_due(self) -> bool:
        info = workflow.info()
        return (
            info.get_current_history_length() >= min(self._state.spec.rollover_events, URGENT_EVENTS)
            or self._asked >= URGENT_ASKS
            or info.is_continue_as_new_suggested()
        )

    def _may_roll_over(self) -> bool:
        if not self._rollover_due():
            return False
        info = workflow.info()
        busy = self._work.on_errands or self._work.asking.children.busy or self._configuring.locked()
        return not busy or self._asked >= URGENT_ASKS or info.get_current_history_length() >= URGENT_EVENTS

    async def _roll_over(self) -> NoReturn:
        state = self._state
        self._rolling = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        await carrying.lighten(state)
        await self._letters.lighten()
        await carrying.keep_replies(state)
        await workflow.wait_condition(workflow.all_handlers_finished)
        # Nothing is awaited from here on: what a handler did until now is in the state that is carried.
        state.replies = state.replies.carried()
        self._work.let_go()
        state.rollovers += 1
        workflow.continue_as_new({"resume": dump_team(state)}, task_timeout=TASK_TIMEOUT)

    async def _leave(self) -> TeamFarewell:
        """Tell everybody who waits, and end the children."""
        state, mailbox = self._state, self._state.mailbox
        self._leaving = True
        workflow.set_current_details(f"Stopped: {state.stop_reason}")
        reason = f"the team was stopped: {state.stop_reason}"
        unfinished = [*state.tasks]
        for task_id in unfinished:
            self._work.end(task_id, cancelled=True, reason=reason)
        while page := next(iter(mailbox.aside), None):
            mailbox.bring_back(page, (await shelf.bring_back(page.ref)).entries)
        while letters := mailbox.take(1, _TASK_BYTES):
            for letter in letters:
                unfinished.append(letter.message.id)
                self._work.refuse(letter.message, reason, "cancelled")
        for member in state.spec.members:
            if member.is_child:
                self._work.asking.children.let_go(member.where, keep=False)
        self._postman.go()
        await self._postman.until_idle()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await carrying.keep_replies(state)
        await self._letters.keep()
        return TeamFarewell(
            name=state.spec.name,
            reason=state.stop_reason,
            tasks_done=state.tasks_done,
            tasks_failed=state.tasks_failed,
            unfinished=unfinished[:1000],
            left_alive=state.alive,
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
            self._do(name, given)
        except InvalidInput as error:
            self._intake.bury("", str(error), text_of(given), "unreadable")

    def _do(self, name: str, given: RawValue) -> None:
        waits, asking = self._state.waits, self._work.asking
        match name:
            case "send":
                self._intake.take_in(read(Message, "message", given, MESSAGE_BYTES))
            case "reply":
                asking.replied(read(Reply, "reply", given, MESSAGE_BYTES))
            case "probe":
                probe = self._with_task(read(Probe, "probe", given, MESSAGE_BYTES))
                self._tell(waits.probed(probe, self._state.may_hold))
            case "break":
                self._tell(self._broken(read(Break, "break", given, MESSAGE_BYTES)))
            case "pause" | "resume":
                self._state.paused = name == "pause"
                self._announce()
            case "stop":
                wanted = read(Stop, "stop", given, SPEC_BYTES) if is_given(given) else Stop()
                self._state.stop_reason = wanted.reason or "stopped on request"
            case _:
                there = "there are send, reply, pause, resume, stop"
                raise InvalidInput(name, [f"there is no such signal; {there}"])

    def _with_task(self, probe: Probe) -> Probe:
        """Return a probe that came to the team as one to the task that it is about: tasks are what waits."""
        if not probe.edges or probe.confirmed or address_of(probe.edges[-1].to) != self._state.address:
            return probe
        last = probe.edges[-1]
        edge = last.model_copy(update={"to": self._state.node_of(last.id)})
        return probe.model_copy(update={"edges": [*probe.edges[:-1], edge]})

    def _broken(self, broken: Break) -> list[Told]:
        _, told = self._state.waits.broken(broken)
        self._work.asking.give_up(broken.id, broken.reason)
        return told

    def _tell(self, signals: Sequence[Told]) -> None:
        """Send probes and breaks. What is for this team itself is done here: no workflow can signal itself."""
        left = deque(signals)
        while left:
            told = left.popleft()
            if told.to != self._state.address:
                self._state.outbox.put(told.to, told.signal, told.body.model_dump(mode="json"))
            elif isinstance(told.body, Probe):
                left.extend(self._state.waits.probed(self._with_task(told.body), self._state.may_hold))
            else:
                left.extend(self._broken(told.body))
        self._postman.go()

    @workflow.update(description="Give the team a task, and get what comes of it: {text}, as for send")
    async def ask(self, message: RawValue = NOTHING) -> Reply:
        """Take in a task and return its result, or `pending` when the workflow rolls over first."""
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

    @workflow.update(description="Change who is in the team: {add, remove, replace, roles, keep}")
    async def change_members(self, changes: RawValue = NOTHING) -> TeamSpec:
        """Change the roster, from the next turn on, and return the whole spec."""
        async with self._configuring:
            wanted, change = self._changed_roster(changes)
            self._work.change(change, keep=wanted.keep)
            self._postman.go()
        return self._state.spec

    @change_members.validator
    def _validate_change_members(self, changes: RawValue = NOTHING) -> None:
        self._refuse_if_gone()
        self._changed_roster(changes)

    def _changed_roster(self, raw: RawValue) -> tuple[RosterChanges, Change]:
        name = self._state.spec.name
        payload = Payload(metadata=dict(raw.payload.metadata), data=children_named(name, raw.payload.data))
        wanted = read_or_refuse(RosterChanges, "changes", RawValue(payload), SPEC_BYTES)
        try:
            return wanted, changed_roster(self._state.spec, wanted, self._state.left)
        except InvalidInput as error:
            raise refusal(error) from None

    @workflow.update(description="Change the purpose, strategy, termination, version, max_turns or patience")
    async def configure(self, changes: RawValue = NOTHING) -> TeamSpec:
        """Change the team while it lives, and return its whole spec. Tasks under way keep what they began with."""
        async with self._configuring:
            spec = self._changed_spec(changes)
            _, self._state.tools = await prepare(spec)
            # Members may not have changed meanwhile: their updates wait for the same lock.
            self._state.spec = spec
            workflow.upsert_memo({"AosVersion": spec.version})
        return spec

    @configure.validator
    def _validate_configure(self, changes: RawValue = NOTHING) -> None:
        self._refuse_if_gone()
        self._changed_spec(changes)

    def _changed_spec(self, changes: RawValue) -> TeamSpec:
        try:
            return changed_spec(self._state.spec, read(TeamChanges, "changes", changes, SPEC_BYTES))
        except InvalidInput as error:
            raise refusal(error) from None

    @workflow.update(description="End a task before it is over: {id, how: cancel or finish, reason}")
    def end_task(self, wanted: RawValue = NOTHING) -> TaskView:
        """End a task at once, and return how it ended."""
        asked = read_or_refuse(EndTask, "end_task", wanted, SPEC_BYTES)
        state = self._state
        if asked.id in state.tasks:
            self._work.end(asked.id, cancelled=asked.how == "cancel", reason=asked.reason)
        elif letter := next((one for one in state.mailbox.waiting if one.message.id == asked.id), None):
            state.mailbox.waiting.remove(letter)
            self._work.refuse(letter.message, asked.reason, "cancelled")
        report = views.task(state, asked.id)
        if report is None:
            raise refusal(_no_task(asked.id))
        return report.task

    @end_task.validator
    def _validate_end_task(self, wanted: RawValue = NOTHING) -> None:
        self._refuse_if_gone()
        if views.task(self._state, (asked := read_or_refuse(EndTask, "end_task", wanted, SPEC_BYTES)).id) is None:
            raise refusal(_no_task(asked.id))

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

    def _replayed(self, message: Message) -> None:
        self._intake.take_in(message)

    def _refuse_if_gone(self) -> None:
        if self._refused:
            raise refusal(self._refused)
        if self._state.stop_reason:
            raise refusal(AgentStopped(self._state.address))

    # Queries

    def _shown(self) -> TeamState:
        if self._refused:
            raise refusal(self._refused)
        return self._state

    @workflow.query(description="How the team is, and its members")
    def status(self) -> TeamStatus:
        """Return how the team is."""
        return views.status(self._shown())

    @workflow.query(description="The tasks that are over, under way and waiting")
    def tasks(self) -> TaskList:
        """Return the tasks."""
        return views.tasks(self._shown())

    @workflow.query(description="One task, with what was said in it: {id}")
    def task(self, lookup: RawValue = NOTHING) -> TaskReport:
        """Return a task."""
        wanted = read(TaskLookup, "task", lookup, SPEC_BYTES)
        if (report := views.task(self._shown(), wanted.id)) is None:
            raise refusal(_no_task(wanted.id))
        return report

    @workflow.query(description="The team's spec as it is now")
    def spec(self) -> TeamSpec:
        """Return the spec."""
        return self._shown().spec

    @workflow.query(description="Messages that could not be read or delivered")
    def dead_letters(self) -> DeadLetters:
        """Return the newest dead letters."""
        return views.dead_letters(self._shown())

    @workflow.query(description="What became of tasks: {ids}")
    def replies(self, lookup: RawValue = NOTHING) -> list[Reply]:
        """Return the results of tasks, `pending` for those that are open; those not known any more are left out."""
        return views.replies(self._shown(), read(Lookup, "replies", lookup, SPEC_BYTES).ids)


def _initial_state(given: RawValue) -> TeamState:
    if state := carried(given):
        return load_team(state)
    spec = read(TeamSpec, "team", given, SPEC_BYTES)
    info = workflow.info()
    if info.workflow_id != (wanted := f"team/{spec.name}"):
        raise InvalidInput("team", [f"name: the team {spec.name!r} must be started with the workflow id {wanted!r}"])
    return TeamState(spec=spec, life=info.first_execution_run_id or info.run_id, started=workflow.time())


def _no_task(task_id: str) -> InvalidInput:
    return InvalidInput(
        "task", [f"id: there is no task {task_id!r}, or it is no longer kept; `aos task ls` lists them"]
    )
