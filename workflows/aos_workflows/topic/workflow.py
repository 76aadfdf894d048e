"""The eternal workflow that runs any topic."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior
from temporalio.exceptions import ActivityError, is_cancelled_exception

from aos.control import Stop
from aos.errors import AgentStopped, AosError, InvalidInput
from aos.limits import MESSAGE_BYTES, SPEC_BYTES
from aos.message import Message
from aos.names import TOPIC_TASK_TIMEOUT, TOPIC_WORKFLOW
from aos.topic import (
    Subscribers,
    Subscription,
    TopicFarewell,
    TopicSpec,
    TopicStatus,
    Unsubscribe,
    topic_address,
    topic_name,
)
from aos.views import DeadLetter, DeadLetters, DeathKind
from aos_workflows.inbound import NOTHING, is_given, read, read_or_refuse, refusal
from aos_workflows.resume import carried
from aos_workflows.topic import carrying, views
from aos_workflows.topic.carrier import Carrier
from aos_workflows.topic.state import Placement, TopicState, dump_topic, load_topic

URGENT_EVENTS = 8_000
"""History events at which a topic rolls over whatever its spec says: a run takes 10,000 signals at most."""

URGENT_UPDATES = 1_800
"""Updates in a run at which a topic rolls over: a run takes 2,000 at most."""

SENDING = timedelta(seconds=10)
"""How long a rollover waits for what is on its way. What has not arrived by then is sent again."""

ENVELOPE_BYTES = 4 * 1024
"""What a topic and its branches may add to a publication, which must not be too long for its subscribers then."""

_SIGNALS = (
    "publish {text, and optionally id, sender, priority, parts}: to all subscribers; send: the same; "
    "stop {reason}: end the topic when all have what was published; place and remove come from a topic to its branches"
)


@workflow.defn(name=TOPIC_WORKFLOW, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Topic:
    """A topic. Start it with `{"name": "..."}` under the id `topic/<name>`."""

    @workflow.init
    def __init__(self, given: RawValue = NOTHING) -> None:
        """Build the state before any handler runs."""
        self._refused: AosError | None = None
        self._updates = 0
        try:
            self._state = _initial_state(given)
        except InvalidInput as error:
            self._refused = error
            self._state = TopicState(spec=TopicSpec(name="refused"), started=workflow.time())
        self._carrier = Carrier(self._state, self._undelivered)

    @workflow.run
    async def run(self, given: RawValue = NOTHING) -> TopicFarewell:
        """Live until stopped."""
        if self._refused:
            raise refusal(self._refused)
        try:
            await self._live()
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            self._stop("cancelled")
            await self._live()
            raise
        return views.farewell(self._state)

    async def _live(self) -> None:
        """Bring publications to subscribers until the topic is stopped and everybody has everything."""
        state, carrier = self._state, self._carrier
        while not (state.stop_reason and carrier.idle):
            workflow.set_current_details(views.in_words(state))
            await workflow.wait_condition(self._has_cause)
            if self._rollover_due():
                await self._roll_over()
            if state.splitting and carrier.quiet and state.log.settled:
                state.split()
                carrier.stir()
            await carrier.pump()
            if page := state.log.page_needed:
                await carrying.bring_back(state, page)
                carrier.stir()
        workflow.set_current_details(f"Stopped: {state.stop_reason}")
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _has_cause(self) -> bool:
        return self._carrier.has_cause or self._rollover_due()

    # Rollover

    def _rollover_due(self) -> bool:
        info = workflow.info()
        return (
            info.get_current_history_length() >= min(self._state.spec.rollover_events, URGENT_EVENTS)
            or self._updates >= URGENT_UPDATES
            or info.is_continue_as_new_suggested()
        )

    async def _roll_over(self) -> NoReturn:
        state, carrier = self._state, self._carrier
        carrier.holding = True
        if not carrier.quiet:
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: carrier.quiet, timeout=SENDING)
        state.log.trim()
        await carrying.lighten(state)
        await workflow.wait_condition(workflow.all_handlers_finished)
        # Nothing is awaited from here on: what a handler did until now is in the state that is carried.
        state.rollovers += 1
        workflow.continue_as_new({"resume": dump_topic(state)}, task_timeout=TOPIC_TASK_TIMEOUT)

    # Publications

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
            self._bury("", str(error), given.payload.data[:4000].decode(errors="replace"), "unreadable")
        self._carrier.stir()

    def _do(self, name: str, given: RawValue) -> None:
        match name:
            case "publish" | "send":
                limit = MESSAGE_BYTES - ENVELOPE_BYTES * (1 if self._state.spec.root else 2)
                self._take_in(read(Message, "message", given, limit))
            case "place":
                for subscription in read(Placement, "place", given, MESSAGE_BYTES).subscriptions:
                    self._state.subscribe(subscription)
            case "remove":
                self._state.unsubscribe(read(Unsubscribe, "remove", given, SPEC_BYTES).subscriber)
            case "stop":
                wanted = read(Stop, "stop", given, SPEC_BYTES) if is_given(given) else Stop()
                self._stop(wanted.reason or "stopped on request")
            case _:
                raise InvalidInput(name, ["there is no such signal; there are publish, send, stop"])

    def _take_in(self, message: Message) -> None:
        if not message.id:
            message = message.model_copy(update={"id": str(workflow.uuid4())})
        match self._state.seen.judge(message):
            case "new":
                self._state.publish(message)
            case "duplicate":
                self._state.repeated += 1
            case _:
                reason = "it may have been published before, and that was too long ago to tell; give it a new id"
                self._bury(message.id, reason, message.text, "undeliverable", message.sender)

    def _undelivered(self, message: Message, subscriber: str, why: str) -> None:
        self._bury(message.id, f"{subscriber} has no room for it: {why}", message.text, "undeliverable", message.sender)

    def _bury(self, message_id: str, reason: str, text: str, kind: DeathKind, sender: str = "") -> None:
        now = datetime.fromtimestamp(workflow.time(), UTC)
        letter = DeadLetter.of(
            id=message_id or str(workflow.uuid4()), reason=reason, text=text, at=now, kind=kind, sender=sender
        )
        self._state.bury(letter)

    def _stop(self, reason: str) -> None:
        self._state.stop_reason = self._state.stop_reason or reason
        self._state.stop()
        self._carrier.stir()

    # Subscribers

    @workflow.update(description="Have what is published sent on: {subscriber, and optionally filter}")
    def subscribe(self, wanted: RawValue = NOTHING) -> Subscription:
        """Take in a subscriber, or change its filter, and return its subscription."""
        subscription = read(Subscription, "subscription", wanted, SPEC_BYTES)
        self._updates += 1
        self._state.subscribe(subscription)
        self._carrier.stir()
        return subscription

    @subscribe.validator
    def _validate_subscribe(self, wanted: RawValue = NOTHING) -> None:
        self._refuse_unless_here()
        try:
            subscriber = read(Subscription, "subscription", wanted, SPEC_BYTES).subscriber
            if subscriber == self._state.address:
                raise InvalidInput("subscription", ["subscriber: a topic cannot subscribe to itself"])
            if subscriber.startswith("topic/"):
                topic_name(subscriber)
        except ValueError as error:
            raise refusal(InvalidInput("subscription", [f"subscriber: {error}"])) from None
        except InvalidInput as error:
            raise refusal(error) from None

    @workflow.update(description="Have nothing more sent on: {subscriber}")
    def unsubscribe(self, wanted: RawValue = NOTHING) -> Subscription:
        """Let a subscriber go, and return its subscription; its filter only where the topic itself has it."""
        gone = read(Unsubscribe, "unsubscribe", wanted, SPEC_BYTES)
        self._updates += 1
        subscription = self._state.unsubscribe(gone.subscriber)
        self._carrier.stir()
        return subscription

    @unsubscribe.validator
    def _validate_unsubscribe(self, wanted: RawValue = NOTHING) -> None:
        self._refuse_unless_here()
        read_or_refuse(Unsubscribe, "unsubscribe", wanted, SPEC_BYTES)

    def _refuse_unless_here(self) -> None:
        if self._refused:
            raise refusal(self._refused)
        if self._state.stop_reason:
            raise refusal(AgentStopped(self._state.address))
        if root := self._state.spec.root:
            problem = f"this is a branch of {topic_address(root)}; subscribe and unsubscribe there"
            raise refusal(InvalidInput("subscription", [problem]))

    # Queries

    def _shown(self) -> TopicState:
        if self._refused:
            raise refusal(self._refused)
        return self._state

    @workflow.query(description="How the topic is")
    def status(self) -> TopicStatus:
        """Return how the topic is."""
        return views.status(self._shown())

    @workflow.query(description="Who has subscribed here, and which branches have more of them")
    def subscribers(self) -> Subscribers:
        """Return the subscribers that this workflow holds."""
        return views.subscribers(self._shown())

    @workflow.query(description="What could not be read, or not be delivered to somebody who lives")
    def dead_letters(self) -> DeadLetters:
        """Return the newest dead letters."""
        return views.dead_letters(self._shown())


def _initial_state(given: RawValue) -> TopicState:
    if state := carried(given):
        return load_topic(state)
    spec = read(TopicSpec, "topic", given, SPEC_BYTES)
    if workflow.info().workflow_id != (wanted := topic_address(spec.name)):
        raise InvalidInput("topic", [f"name: the topic {spec.name!r} must be started with the workflow id {wanted!r}"])
    return TopicState(spec=spec, started=workflow.time())
