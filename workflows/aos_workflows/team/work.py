"""The work on a team's tasks: each goes on as far as it can whenever something has come of what it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace

from pydantic import JsonValue
from temporalio import workflow

from aos.limits import REPLY_INLINE_BYTES, cut_bytes
from aos.message import Message, Reply
from aos.team_views import TaskStatus
from aos_activities.keeping import KeepingActivities
from aos_workflows.options import STORE
from aos_workflows.team import views
from aos_workflows.team.alarm import LazyAlarm
from aos_workflows.team.asking import LONGEST_PAUSE, Asking
from aos_workflows.team.cards import Cards
from aos_workflows.team.consulting import consult
from aos_workflows.team.course import USER, Consult, Finish, Move, Said, Speak
from aos_workflows.team.courses import course_for
from aos_workflows.team.ending import Ending
from aos_workflows.team.finished import KEPT, Finished
from aos_workflows.team.roster import Change
from aos_workflows.team.state import TeamState
from aos_workflows.team.task import TEXT_BYTES, Arrived, Question, Task, task_node

_ERROR_BYTES = 2000


class Work:
    """Works on the tasks in the state.

    Args:
        state: The team.
        post: Begins to send what is in the outbox.
    """

    def __init__(self, state: TeamState, post: Callable[[], None]) -> None:
        self._state = state
        self._post = post
        self._cards = Cards(state)
        self.alarm = LazyAlarm()
        self.asking = Asking(state, self.alarm, self._mark, post)
        self._ready: dict[str, None] = dict.fromkeys(state.tasks)
        self._errands: set[str] = set()
        """What activities are under way for."""
        self.holds_back = False
        """Begin no consultation: a rollover is due."""

    @property
    def has_cause(self) -> bool:
        """Whether a task has something to work on, or somebody was waited for too long."""
        return bool(self._ready) or self.alarm.rings()

    @property
    def on_errands(self) -> bool:
        """Whether activities are under way that a rollover would cut short."""
        return bool(self._errands)

    def resume(self) -> None:
        """Set the alarm for what a run before this one waited for."""
        self.alarm.at_most(self._next_due())

    def let_go(self) -> None:
        """The run ends: consultations that are under way are taken up by the next."""
        for task in self._state.tasks.values():
            for question in (task.consult, *task.questions):
                if question and f"{task.id} {question.number}" in self._errands:
                    question.again = True

    def begin(self, message: Message) -> None:
        """Make a message a task that is worked on."""
        spec, now = self._state.spec, workflow.time()
        task = Task(
            # The whole text comes as the first message.
            message=message.model_copy(update={"text": cut_bytes(message.text, TEXT_BYTES)}),
            node=task_node(spec.name, message.id),
            began=now,
            max_turns=spec.max_turns,
            ending=Ending.of(spec.termination),
            course=course_for(
                spec.strategy,
                natural=spec.termination is None,
                purpose=spec.purpose,
                max_turns=spec.max_turns,
                skill=_named(message, "skill"),
            ),
        )
        self._state.tasks[task.id] = task
        said = Said(source=USER, text=message.text, handoff=_named(message, "handoff"), at=now)
        task.arrived.append(Arrived(member=USER, said=said))
        self.alarm.at_most(task.deadline)
        self._mark(task.id)

    def go_on(self) -> None:
        """Go on with every task that can."""
        while self._ready:
            ready, self._ready = self._ready, {}
            for task_id in ready:
                if task := self._state.tasks.get(task_id):
                    self._advance(task)
        self._post()

    def mark_all(self) -> None:
        """Look at every task anew."""
        self._ready.update(dict.fromkeys(self._state.tasks))

    def _mark(self, task_id: str) -> None:
        self._ready[task_id] = None

    def _advance(self, task: Task) -> None:
        while task.id in self._state.tasks and self._step(task):
            pass

    def _step(self, task: Task) -> bool:
        """Do one thing for a task. Return whether there may be more to do now."""
        if task.closing:
            if not self._may_close(task, task.closing):
                return False
            self._close(task, task.closing)
            return True
        if task.questions:
            return self._answered(task)
        if task.consult and task.consult.answer is not None:
            self._consulted(task, task.consult)
            return True
        if task.arrived:
            return self._take_first(task)
        if task.consult:
            self._ask_outside(task, [task.consult])
        elif not task.asks:
            task.closing = Finish("nobody is to speak next: the strategy has no way on", failed=True)
            return True
        return False

    def _take_first(self, task: Task) -> bool:
        first = task.arrived[0]
        if first.said and not first.said.ref and _is_long(first.said.text):
            self._errand(f"{task.id} text", task, lambda: self._keep(first))
            return False
        del task.arrived[0]
        self._take(task, first)
        return True

    # What comes

    def _take(self, task: Task, arrived: Arrived) -> None:
        assert task.course is not None
        now = workflow.time()
        said = arrived.said
        if said is None:
            task.note(f"{arrived.member} could not speak: {arrived.reason}", now)
            self._do(task, task.course.lost(arrived.member, arrived.reason, self._cards.now(now)))
            return
        task.add(said, cut_bytes(said.text, TEXT_BYTES) if said.ref else said.text)
        task.whole, task.output = said.text, arrived.output
        if reason := task.ending.look([said], now):
            task.closing = Finish(reason)
            return
        self.alarm.at_most(task.ending.due)
        task.pending = said
        task.questions = [self._question(task, asked) for asked in task.ending.questions()]
        if not task.questions:
            self._after_look(task)

    def _answered(self, task: Task) -> bool:
        """Take in what the termination's functions answered. Return whether all have."""
        open_ones = [question for question in task.questions if question.answer is None]
        if open_ones:
            self._ask_outside(task, open_ones)
            return False
        questions, task.questions = task.questions, []
        reasons = [
            task.ending.answered(index, question.answer is not None and question.answer.output is True)
            for index, question in enumerate(questions)
        ]
        if reason := next(filter(None, reasons), None):
            task.closing = Finish(reason)
        else:
            self._after_look(task)
        return True

    def _after_look(self, task: Task) -> None:
        assert task.course is not None
        said, task.pending = task.pending, None
        if said is None:
            return
        cards = self._cards.now(workflow.time())
        self._do(task, task.course.begin(said, cards) if task.messages == 1 else task.course.heard(said, cards))

    def _consulted(self, task: Task, question: Question) -> None:
        assert task.course is not None
        assert question.answer is not None
        task.consult = None
        task.usage += question.answer.usage
        task.ending.charge(question.answer.usage)
        self._do(task, task.course.consulted(question.answer, self._cards.now(workflow.time())))

    def _do(self, task: Task, move: Move | None) -> None:
        match move:
            case Speak() | Consult(for_turn=True) if task.turns >= task.max_turns:
                task.closing = Finish(f"{task.turns} turns were taken, the most there may be")
            case Speak(members=members, told=told, alone=alone):
                for name in members:
                    self.asking.ask(task, name, told, alone=alone)
            case Consult():
                task.consult = self._question(task, move)
            case Finish():
                task.closing = move
            case None:
                pass

    def _question(self, task: Task, asked: Consult) -> Question:
        task.asked += 1
        return Question(number=task.asked, consult=asked)

    # Errands: activities for a task, while the others go on

    def _ask_outside(self, task: Task, questions: Iterable[Question]) -> None:
        if self.holds_back:
            return
        for question in questions:
            self._errand(f"{task.id} {question.number}", task, lambda asked=question: self._consult(task, asked))

    def _errand(self, name: str, task: Task, errand: Callable[[], Coroutine[None, None, None]]) -> None:
        if name not in self._errands:
            self._errands.add(name)
            asyncio.create_task(self._run(name, task, errand))  # noqa: RUF006 - the workflow's loop keeps it

    async def _run(self, name: str, task: Task, errand: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await errand()
        finally:
            self._errands.discard(name)
            self._mark(task.id)

    async def _consult(self, task: Task, question: Question) -> None:
        question.answer = await consult(self._state, task, question)

    async def _keep(self, arrived: Arrived) -> None:
        assert arrived.said is not None
        arrived.said.ref = await _kept(arrived.said.text)

    async def _keep_result(self, task: Task, closing: Finish) -> None:
        task.closing = replace(closing, ref=await _kept(closing.text or ""))

    # The end of a task

    def _may_close(self, task: Task, closing: Finish) -> bool:
        """Whether a result can go out as it is; one that is too long goes into the store first."""
        if closing.text is None or closing.ref or len(closing.text.encode()) <= REPLY_INLINE_BYTES:
            return True
        self._errand(f"{task.id} result", task, lambda: self._keep_result(task, closing))
        return False

    def end(self, task_id: str, *, cancelled: bool, reason: str) -> None:
        """End a task at once, with what there is as its result or without one."""
        task = self._state.tasks[task_id]
        task.ending.end_outside()
        self._close(task, Finish(reason, failed=cancelled), "cancelled" if cancelled else "done")

    def _close(self, task: Task, finish: Finish, status: TaskStatus | None = None) -> None:
        state = self._state
        status = status or ("failed" if finish.failed else "done")
        reply = self._reply(task, finish, status)
        self.asking.forget(task)
        del state.tasks[task.id]
        view = views.task_view(state, task, status, finish, reply)
        lines = [views.line(line) for line in task.lines]
        ledger: JsonValue = task.course.ledger() if task.course else None
        finished = Finished(view=view, reply=reply, lines=lines, older=task.older, ledger=ledger)
        self._settle(task.message, reply, finished, task.began)
        state.spent += task.usage.cost

    def refuse(self, message: Message, reason: str, status: TaskStatus = "failed") -> None:
        """End a task that was not begun."""
        now = workflow.time()
        task = Task(message=message, node=task_node(self._state.spec.name, message.id), began=now)
        finish = Finish(reason, failed=True)
        reply = self._reply(task, finish, status)
        view = views.task_view(self._state, task, status, finish, reply)
        self._settle(message, reply, Finished(view=view, reply=reply), now)

    def tell(self, message: Message, reply: Reply) -> None:
        """Tell the sender of a task what became of it, where it wants to be told."""
        if message.reply_to:
            self._state.outbox.put(message.reply_to, "reply", reply.model_dump(mode="json"))
            self._post()

    def _settle(self, message: Message, reply: Reply, finished: Finished, began: float) -> None:
        """Keep what came of a task, and tell whoever waits for it."""
        state = self._state
        state.replies.keep(reply)
        state.finished.append(finished)
        if finished.view.status == "done":
            state.tasks_done += 1
        else:
            state.tasks_failed += 1
        took = max(0.0, workflow.time() - began) / (len(state.tasks) + 1)
        state.pace = took if not state.pace else state.pace * 0.8 + took * 0.2
        self.tell(message, reply)
        for old in state.finished[:-KEPT]:
            old.lines.clear()
            old.ledger = None

    def _reply(self, task: Task, finish: Finish, status: TaskStatus) -> Reply:
        last = task.last
        reply = Reply(id=task.id, status="done", steps=task.turns, usage=task.usage)
        if status != "done":
            error = f"cancelled: {finish.reason}" if status == "cancelled" else finish.reason
            return reply.model_copy(update={"status": "failed", "error": cut_bytes(error, _ERROR_BYTES)})
        output: JsonValue = None
        text, ref = finish.text, finish.ref
        if text is None:
            text, ref = "", ""
            if last:
                text, ref = (task.whole or last.text), last.ref
                output = task.output
        handoff = last.handoff if last and self._state.member(last.handoff) is None else ""
        short = cut_bytes(text, REPLY_INLINE_BYTES)
        # Where the whole text is here, nobody needs to look for it in the store.
        ref = ref if len(short) < len(text) or text != task.whole else ""
        return reply.model_copy(update={"text": short, "ref": ref, "output": output, "handoff": handoff})

    # Time, and who is in the team

    def look_at_the_time(self) -> list[str]:
        """Give up what is overdue, and return the addresses of members that are silent for long."""
        now, silent = self.alarm.take(), dict[str, None]()
        for task in [*self._state.tasks.values()]:
            if task.deadline is not None and task.deadline <= now:
                task.closing = Finish("its deadline has passed", failed=True)
                self._mark(task.id)
                continue
            due = task.ending.due
            if due is not None and due <= now and (reason := task.ending.look([], now)):
                task.closing = Finish(reason)
                self._mark(task.id)
                continue
            for name, ask in [*task.asks.items()]:
                if ask.due <= now:
                    self.asking.give_up(ask.id, f"it gave no answer within {self._state.spec.patience:g} s")
                elif ask.look <= now:
                    if self._state.standing_of(name).condition != "starting":
                        silent[ask.to] = None
                    ask.pause = min(ask.pause * 2, LONGEST_PAUSE)
                    ask.look = now + ask.pause
        self.alarm.at_most(self._next_due())
        return [*silent]

    def _next_due(self) -> float | None:
        dues: list[float] = []
        for task in self._state.tasks.values():
            dues += [due for due in (task.deadline, task.ending.due) if due is not None]
            dues += [min(ask.due, ask.look) for ask in task.asks.values()]
        return min(dues, default=None)

    def change(self, change: Change, *, keep: bool) -> None:
        """The roster is another: who left is not waited for, who replaced somebody is asked what that one was."""
        state, now = self._state, workflow.time()
        state.spec = change.spec
        here = {member.name for member in change.spec.members}
        for member in change.left:
            if member.name not in here:
                self.asking.give_up_member(member.name, "it left the team")
                state.standing.pop(member.name, None)
            if member.is_child:
                self.asking.children.let_go(member.where, keep=keep)
        said = views.roster_note(change)
        for task in state.tasks.values():
            task.note(said, now)
        for member in change.joined:
            load = state.standing_of(member.name).load
            state.standing.pop(member.name)
            state.standing_of(member.name).load = load
            if member.is_child:
                self.asking.children.start(member)
        for name in change.renewed:
            self.asking.ask_again(name)
        self.mark_all()


def _named(message: Message, name: str) -> str:
    """Return the text in the data part of that name, which says something of the task to the strategy."""
    data = next((part.data for part in message.parts if part.type == "data" and part.name == name), "")
    return data if isinstance(data, str) else ""


async def _kept(text: str) -> str:
    return await workflow.execute_activity_method(
        KeepingActivities.keep_text, text, summary="keep a long text", **STORE
    )


def _is_long(text: str) -> bool:
    return len(text) > TEXT_BYTES or len(text.encode()) > TEXT_BYTES
