"""A Temporal server and a worker for one agent: tasks, attempts and timers, any of which may be lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.exceptions import ApplicationError

from aos_activities.compaction import Compacted
from aos_activities.think import Thought
from simulation.activities import Activities, cancellation, failure_of
from simulation.carried import check_carried, check_no_strays
from simulation.run import CONVERTER, Run
from simulation.store import Fuse, WorkerLost
from simulation.truth import Broken, Truth

_ATTEMPTS = 5
_TIRELESS = {"set_aside", "bring_back", "find_reply", "prepare_agent"}
"""Activities that are tried until they are done."""

_URGENT = 8_000
_STRAYS_LOOKED_FOR = 4
"""In every how many runs what lies outside of the state is looked for, which takes long."""


@dataclass(slots=True)
class Scheduled:
    """An activity that the workflow waits for."""

    kind: str
    argument: Payload
    attempt: int = 0


class Server:
    """Runs an agent's life, run after run.

    `chances` are those of faults: see `calm`. `inbox` holds what the next workflow task is told.
    """

    def __init__(self, name: str, spec: Payload, chance: Random, truth: Truth, work: Activities, fuse: Fuse) -> None:
        self.now = 1_800_000_000.0
        self.run = Run(name, 0, spec)
        self.runs = 1
        self.inbox: list[WorkflowActivationJob] = []
        self.activities: dict[int, Scheduled] = {}
        self.timers: dict[int, float] = {}
        self.updates: dict[str, bool] = {}
        """Updates under way by id, and whether they were accepted."""
        self.farewell: Payload | None = None
        self.suggested = False
        self.length = 3
        self.calm = False
        self.events = 0
        self.carried = 0
        self.trace: list[str] = []
        self._kinds: dict[int, str] = {}
        self._name = name
        self._chance = chance
        self._truth = truth
        self._work = work
        self._fuse = fuse
        self.told: Callable[[str, Payload | None, str], None] = lambda update, result, problem: None
        """Called with the outcome of an update: its result, or the type of its failure."""
        self.recorded: Callable[[list[WorkflowActivationJob]], None] = lambda jobs: None
        """Called with what a workflow task was told, once it is recorded and before what it closes is closed."""
        self.arrivals: Callable[[], None] = lambda: None
        """Called when something may come in while a run is being closed."""

    @property
    def ended(self) -> bool:
        """Whether the agent's workflow is over."""
        return self.farewell is not None

    def note(self, what: str) -> None:
        """Count an event, and keep it for the trace."""
        self.events += 1
        self.trace.append(what)

    def dies(self, chance: float) -> bool:
        """Draw whether a fault happens."""
        return not self.calm and self._chance.random() < chance

    # Workflow tasks

    def task(self) -> None:
        """Do one workflow task, if there is cause for one. It may be lost with its worker, and is done again then."""
        if (not self.inbox and self.run.begun) or self.ended:
            return
        jobs, self.inbox = self.inbox, []
        if self.dies(0.02):
            self._fuse.left = self._chance.randrange(6)
        try:
            commands = self._activate(jobs)
        except WorkerLost:
            self._lost(jobs, "worker lost in a workflow task")
            return
        finally:
            self._fuse.left = None
        if self.dies(0.02):
            self._lost(jobs, "worker lost before its workflow task was recorded")
            return
        closing = next((command for command in commands if _closes(command)), None)
        if closing is not None:
            self.arrivals()
            if self.inbox:
                self.note("task came to nothing, for something came while the run was closed")
                self.run.lose()
                self.inbox = jobs + self.inbox
                return
        self._record(jobs, commands)
        if closing is not None:
            self._close(closing)

    def _activate(self, jobs: list[WorkflowActivationJob]) -> list[WorkflowCommand]:
        """Activate the workflow until it waits, and return its commands."""
        commands: list[WorkflowCommand] = []
        length = _URGENT if self.suggested and self._chance.random() < 0.2 else self.length
        ended = {job.resolve_activity.seq for job in jobs}
        following = jobs
        while True:
            answer = self.run.activate(following, self.now, length, suggested=self.suggested)
            commands += answer
            following = list[WorkflowActivationJob]()
            for command in answer:
                if command.HasField("request_cancel_activity") and command.request_cancel_activity.seq not in ended:
                    job = WorkflowActivationJob()
                    job.resolve_activity.seq = command.request_cancel_activity.seq
                    job.resolve_activity.result.cancelled.failure.CopyFrom(cancellation())
                    following.append(job)
            if not following:
                return commands

    def _lost(self, jobs: list[WorkflowActivationJob], what: str) -> None:
        self.note(what)
        self.run.lose()
        self._work.restart()
        self.inbox = jobs + self.inbox

    def _record(self, jobs: list[WorkflowActivationJob], commands: list[WorkflowCommand]) -> None:
        self.note("task")
        self.run.record()
        self.length += 3 + len(jobs) + 2 * len(commands)
        for command in commands:
            match command.WhichOneof("variant"):
                case "schedule_activity":
                    wanted = command.schedule_activity
                    self.activities[wanted.seq] = Scheduled(wanted.activity_type, wanted.arguments[0])
                    self._kinds[wanted.seq] = wanted.activity_type
                case "request_cancel_activity":
                    self._cancel(command.request_cancel_activity.seq)
                case "start_timer":
                    self.timers[command.start_timer.seq] = (
                        self.now + command.start_timer.start_to_fire_timeout.ToNanoseconds() / 1e9
                    )
                case "cancel_timer":
                    self.timers.pop(command.cancel_timer.seq, None)
                case "update_response":
                    self._answered(command)
                case _:
                    pass
        for job in jobs:
            self._learn(job)
        self.recorded(jobs)

    def _cancel(self, seq: int) -> None:
        scheduled = self.activities.pop(seq, None)
        self.inbox = [
            job for job in self.inbox if not (job.HasField("resolve_activity") and job.resolve_activity.seq == seq)
        ]
        if scheduled and self.dies(0.5):
            self.note(f"{scheduled.kind} ends after it was cancelled")
            scheduled.attempt += 1
            self._try(scheduled)

    def _answered(self, command: WorkflowCommand) -> None:
        response = command.update_response
        update = response.protocol_instance_id
        match response.WhichOneof("response"):
            case "accepted":
                self.updates[update] = True
            case "completed":
                del self.updates[update]
                self.told(update, response.completed, "")
            case _:
                del self.updates[update]
                self.told(update, None, response.rejected.application_failure_info.type or response.rejected.message)

    def _learn(self, job: WorkflowActivationJob) -> None:
        """Tell the truth of the model calls that the agent has heard of."""
        if not job.HasField("resolve_activity") or not job.resolve_activity.result.HasField("completed"):
            return
        told = {"think": Thought, "compact": Compacted}.get(self._kinds.get(job.resolve_activity.seq, ""))
        if told:
            call = CONVERTER.from_payload(job.resolve_activity.result.completed.result, told)
            self._truth.charge(call.model, call.usage)

    def _close(self, command: WorkflowCommand) -> None:
        state = self.run.state
        if self.runs % _STRAYS_LOOKED_FOR == 1:
            check_no_strays(self.run.agent, state)
        self.activities.clear()
        self._kinds.clear()
        self.timers.clear()
        self.run.lose()
        for update, accepted in list(self.updates.items()):
            if accepted:
                raise Broken(f"the update {update} was accepted, and its run ended before it")
        if command.HasField("complete_workflow_execution"):
            self.note("the agent is stopped")
            self.farewell = command.complete_workflow_execution.result
            return
        if not command.HasField("continue_as_new_workflow_execution"):
            raise Broken(f"the workflow ended: {command}")
        self.note("rollover")
        carried = command.continue_as_new_workflow_execution.arguments[0]
        self.carried = max(self.carried, len(carried.data))
        check_carried(state, carried.data)
        self.inbox = [job for job in self.inbox if job.WhichOneof("variant") in ("signal_workflow", "do_update")]
        self.run = Run(self._name, self.runs, carried)
        self.runs += 1
        self.length, self.suggested = 3, False

    # Activities and time

    def attempt(self, seq: int) -> None:
        """Make one attempt at an activity. Its worker may die before, during and after it."""
        scheduled = self.activities[seq]
        scheduled.attempt += 1
        result = self._try(scheduled)
        if result is None or self.dies(0.03):
            self.note(f"{scheduled.kind}: attempt {scheduled.attempt} is lost")
            if scheduled.attempt < _ATTEMPTS or scheduled.kind in _TIRELESS:
                return
            result = failure_of(None)
        if isinstance(result, ApplicationError):
            self.note(f"{scheduled.kind}: attempt {scheduled.attempt} failed: {result.message[:40]}")
            if not result.non_retryable and scheduled.attempt < _ATTEMPTS:
                return
            result = failure_of(result)
        self.note(f"{scheduled.kind} done")
        del self.activities[seq]
        if isinstance(result, Payload):
            self.inbox.append(self._resolved(seq, result))
        else:
            job = WorkflowActivationJob()
            job.resolve_activity.seq = seq
            job.resolve_activity.result.failed.failure.CopyFrom(result)
            self.inbox.append(job)

    def _try(self, scheduled: Scheduled) -> Payload | ApplicationError | None:
        if self.dies(0.04):
            self._fuse.left = self._chance.randrange(6)
        try:
            return self._work.attempt(scheduled.kind, scheduled.argument, scheduled.attempt)
        except ApplicationError as error:
            return error
        except WorkerLost:
            self._work.restart()
            self.run.lose()
            return None
        finally:
            self._fuse.left = None

    def pass_time(self, until: float) -> None:
        """Let time pass, and the timers fire whose time has come."""
        self.note("time passes")
        self.now = max(self.now, until)
        for seq, due in sorted(self.timers.items(), key=lambda timer: timer[1]):
            if due <= self.now:
                del self.timers[seq]
                job = WorkflowActivationJob()
                job.fire_timer.seq = seq
                self.inbox.append(job)

    def _resolved(self, seq: int, result: Payload) -> WorkflowActivationJob:
        job = WorkflowActivationJob()
        job.resolve_activity.seq = seq
        job.resolve_activity.result.completed.result.CopyFrom(result)
        return job

    # What comes in

    def signal(self, name: str, argument: Payload | None) -> None:
        """Take in a signal."""
        job = WorkflowActivationJob()
        job.signal_workflow.signal_name = name
        if argument is not None:
            job.signal_workflow.input.append(argument)
        self.inbox.append(job)

    def update(self, name: str, update: str, argument: Payload) -> None:
        """Take in an update."""
        job = WorkflowActivationJob()
        job.do_update.name, job.do_update.id, job.do_update.protocol_instance_id = name, update, update
        job.do_update.input.append(argument)
        job.do_update.run_validator = True
        self.updates[update] = False
        self.inbox.append(job)


def _closes(command: WorkflowCommand) -> bool:
    return command.WhichOneof("variant") in (
        "continue_as_new_workflow_execution",
        "complete_workflow_execution",
        "fail_workflow_execution",
        "cancel_workflow_execution",
    )
