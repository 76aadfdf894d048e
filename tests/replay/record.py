"""Records the histories that `test_replay.py` replays, on real workers and a real server.

    python tests/replay/record.py          records those of the version in pyproject.toml anew

Histories of released versions are never recorded again: agents that live have such histories, so every later version
must be able to replay them. Record once for each version, before it is released, and after the last change to a
workflow.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from aos.memory_use import USE_MEMORY_WORKFLOW  # noqa: E402
from aos.message import Event, Message  # noqa: E402
from aos.names import TASK_QUEUE, TEAM_WORKFLOW, TOPIC_WORKFLOW  # noqa: E402
from aos.provider import ModelRequest, ModelResponse  # noqa: E402
from aos.read_back import READ_BACK_WORKFLOW  # noqa: E402
from aos.testing import calls, last_text  # noqa: E402
from aos.topic import TopicStatus  # noqa: E402
from engine import tools  # noqa: E402
from engine.engine import Engine, running_engine  # noqa: E402
from engine.scripts import echo, said  # noqa: E402
from engine.server import running_server  # noqa: E402

HISTORIES = HERE / "histories"


def script(request: ModelRequest) -> ModelResponse | str:
    """Answer as the recorded scenes need it."""
    asked, last = last_text(request), request.items[-1].kind
    if last == "tool":
        return f"used {request.items[-1].text}"
    match asked.split()[0]:
        case "build":
            return calls(("hammer", {"nail": "one"}), ("current_time", {}), ("drill", {}))
        case "later":
            return calls(("set_timer", {"seconds": 0.1, "text": "the tea is ready"}))
        case "hold":
            return calls(("hold", {"bench": "recorded"}))
        case "Summarise":
            return "SUMMARY"
        case "ships":
            return "7" if last == "user" else '{"ships": 7}'
        case _:
            return echo(request)


async def save(handle: WorkflowHandle[Any, Any], workflow: str, what: str) -> None:
    """Write the history of a run, without the names of the machine that it ran on."""
    history = (await handle.fetch_history()).to_json().replace(str(HERE.parents[1]), "aos")
    history = re.sub(rf"\d+@{re.escape(socket.gethostname())}", "recorder", history)
    path = HISTORIES / f"{workflow}-{version('agent-operating-system')}-{what}.json"
    path.write_text(history, encoding="utf-8")


async def save_runs(engine: Engine, handle: WorkflowHandle[Any, Any], workflow: str, what: str) -> None:
    """Write the histories of all runs of a life."""
    run_id = (await handle.describe()).raw_description.workflow_execution_info.first_run_id
    number = 0
    while run_id:
        number += 1
        run = engine.temporal.get_workflow_handle(handle.id, run_id=run_id)
        await save(run, workflow, f"{what}-{number}")
        last = [event async for event in run.fetch_history_events()][-1]
        run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id


async def agent_life(engine: Engine) -> None:
    """Record an agent to which about everything happens, over two rollovers."""
    ada = await engine.start(
        script,
        purpose="keep the log",
        tools=["current_time", "set_timer", "workshop/hammer", "workshop/hold"],
        triggers=[{"type": "event", "event": "ship.*", "text": "A ship."}],
        rollover_events=300,
        context_tokens=1000,
    )
    await engine.ask(ada, "hello")
    await engine.ask(ada, "build")
    await engine.ask(ada, "later")
    await engine.until(timer_has_gone_off(engine, ada), bool)
    await engine.client.configure(ada, {"purpose": "count ships", "batch": 3})
    await engine.signal_bytes(ada, "send", b'{"text": ')
    await engine.client.tell_event(ada, Event(type="ship.came", source="harbour", id="1"))
    await engine.client.tell_event(ada, Event(type="gull.came"))
    await engine.client.pause(ada)
    await asyncio.gather(*(engine.send(ada, f"note {number} " + "x" * 900) for number in range(12)))
    await engine.send(ada, "by the way", wake=False)
    await engine.client.resume(ada)
    await engine.ask(ada, "hello again")
    schema = {"type": "object", "required": ["ships"]}
    await engine.client.ask(ada, Message(text="ships", output_schema=schema))
    running = tools.held.setdefault("recorded", asyncio.Event())
    await engine.send(ada, "hold")
    await running.wait()
    await engine.ask(ada, "stop that", mode="interrupt")
    await engine.client.configure(ada, {"triggers": [{"type": "interval", "every": "100ms", "text": "tick"}]})
    ticks = (await engine.client.status(ada)).handled
    await engine.until_handled(ada, ticks + 2)
    await engine.client.pause(ada)
    for number in range(40):
        await engine.send(ada, f"many {number} " + "x" * 900)
    while (await engine.client.status(ada)).rollovers < 2:
        await engine.send(ada, "one more " + "x" * 900)
    await engine.client.configure(ada, {"triggers": []})
    await engine.client.resume(ada)
    await engine.ask(ada, "and now?")
    await engine.client.stop(ada)
    runs = await engine.runs(ada)
    for number, run in enumerate(runs, start=1):
        await save(engine.handle(ada, run), "PerpetualAgent", f"life-{number}")


def timer_has_gone_off(engine: Engine, name: str) -> Callable[[], Awaitable[bool]]:
    """Return a look at whether the agent was told of its timer."""

    async def look() -> bool:
        return "the tea is ready" in said(engine.models.requests[name])

    return look


async def read_back(engine: Engine) -> None:
    """Record a read of a transcript, and one of a text that there is not."""
    ada = await engine.start(script)
    await engine.ask(ada, "hello")
    head = (await engine.client.recent(ada)).head
    for what, given in (("transcript", {"transcript": {"head": head}}), ("missing", {"blob": {"ref": "0" * 64}})):
        handle = await engine.temporal.start_workflow(
            READ_BACK_WORKFLOW, given, id=f"aos/read/{what}", task_queue=TASK_QUEUE
        )
        with suppress(WorkflowFailureError):
            await handle.result()
        await save(handle, "ReadBack", what)


async def refused(engine: Engine) -> None:
    """Record an agent that cannot be started."""
    name = engine.name()
    handle = await engine.start_by_hand(name, {"name": name, "tools": ["fly"]})
    with suppress(WorkflowFailureError):
        await handle.result()
    await save(handle, "PerpetualAgent", "refused")


async def team_life(engine: Engine) -> None:
    """Record a team to which about everything happens, over rollovers."""
    names = {member: engine.name() for member in ("ada", "bob", "cyd", "dan")}
    for member, agent in names.items():
        engine.models.scripts[agent] = team_script(member)
        engine.models.requests[agent] = []
    engine.models.scripts["chooser"] = lambda request: "bob" if last_text(request).endswith("bob.") else "ada"
    engine.models.requests["chooser"] = []

    def child(member: str) -> dict[str, Any]:
        return {"name": member, "agent": {"name": names[member], "model": f"scripted:{names[member]}"}}

    team = engine.name()
    enough = [{"type": "max_messages", "count": 12}, {"type": "stop_message"}, {"type": "timeout", "after": 600}]
    counted = {"type": "function", "tool": "workshop/count"}
    handle = await engine.temporal.start_workflow(
        TEAM_WORKFLOW,
        {
            "name": team,
            "members": [child("ada"), child("bob"), {"name": "ghost", "address": "nobody-of-this-name"}],
            "strategy": {"type": "selector", "model": "scripted:chooser", "allow_repeats": True},
            "termination": {"type": "any", "of": [*enough, counted]},
            "rollover_events": 150,
            "patience": 5,
        },
        id=f"team/{team}",
        task_queue=TASK_QUEUE,
    )

    async def update(name: str, given: dict[str, Any]) -> Any:
        return await handle.execute_update(name, given)  # pyright: ignore[reportUnknownMemberType] - the SDK's

    await update("ask", {"text": "count the ships", "id": "t1"})
    await handle.signal("send", {"txt": "count"})
    await update("ask", {"text": "say it at length " + "ship " * 900, "id": "t2"})
    await update("configure", {"strategy": {"type": "round_robin"}})
    await handle.signal("send", {"text": "hold", "id": "t3"})
    await engine.until(lambda: handle.query("task", {"id": "t3"}), lambda report: bool(report["task"]["speaking"]))
    await update("change_members", {"add": [child("cyd")], "replace": [child("dan") | {"name": "bob"}]})
    await handle.signal("pause")
    await handle.signal("resume")
    await engine.handle(names["ada"]).terminate("an accident")
    await engine.until(lambda: handle.query("status"), lambda status: status["tasks_done"] >= 3)
    await handle.signal("send", {"text": "hold", "id": "t4"})
    await engine.until(lambda: handle.query("task", {"id": "t4"}), lambda report: bool(report["task"]["speaking"]))
    await update("end_task", {"id": "t4"})
    for number in range(20):
        await update("ask", {"text": "once more", "id": f"m{number}"})
        if (await handle.query("status"))["rollovers"] >= 2:
            break
    await update("ask", {"text": "count the ships", "id": "t1"})
    await handle.signal("stop", {"reason": "the end"})
    await handle.result()
    await save_runs(engine, handle, "AgentTeam", "life")


def team_script(member: str) -> Callable[[ModelRequest], ModelResponse | str]:
    """Return how a member of the recorded team answers."""
    turns = 0

    def answer(request: ModelRequest) -> ModelResponse | str:
        nonlocal turns
        turns += 1
        asked = last_text(request)
        if "at length" in asked:
            return "ship " * 900
        return f"{member} {turns}"

    return answer


async def topic_life(engine: Engine) -> None:
    """Record a topic to which about everything happens, over rollovers and a split, and one of its branches."""
    topic = engine.name()
    listeners = [f"agent/{engine.name()}" for _ in range(6)]
    for listener in listeners:
        # Nobody serves it: what it is told waits in its history.
        await engine.temporal.start_workflow("Listener", id=listener, task_queue="nobody")
    handle = await engine.temporal.start_workflow(
        TOPIC_WORKFLOW,
        {"name": topic, "branch": 3, "rollover_events": 100},
        id=f"topic/{topic}",
        task_queue=TASK_QUEUE,
    )

    async def update(name: str, subscriber: str, **fields: Any) -> Any:
        return await handle.execute_update(name, {"subscriber": subscriber, **fields})  # pyright: ignore[reportUnknownMemberType] - the SDK's

    async def status() -> TopicStatus:
        return await engine.client.topics.status(topic)

    async def publish(*numbers: int, **fields: Any) -> None:
        for number in numbers:
            await handle.signal("publish", {"text": f"ship {number}", "id": f"m{number}", **fields})

    async def until_rolled_over(times: int) -> None:
        number = 1000 * times
        while (await status()).rollovers < times:
            await publish(number := number + 1)

    for number in range(8):
        await handle.signal("publish", {"txt": f"{number} " + "x" * 900})
    await update("subscribe", listeners[0], filter={"type": "text", "contains": "ship"})
    await update("subscribe", listeners[1], filter={"type": "not", "of": {"type": "kind", "kinds": ["question"]}})
    await update("subscribe", "agent/nobody-of-this-name")
    with suppress(WorkflowUpdateFailedError):
        await update("subscribe", "planet/mars")
    await publish(1, 2, 2, sender=listeners[0])
    await publish(3, kind="question")
    await engine.until(status, lambda status: status.dropped_count == 1)
    await update("unsubscribe", listeners[1])
    await until_rolled_over(1)
    for listener in listeners:
        await update("subscribe", listener)
    await engine.until(status, lambda status: bool(status.branches))
    await publish(4, 5)
    await update("unsubscribe", listeners[2])
    await until_rolled_over(2)
    branches = (await status()).branches
    await handle.signal("stop", {"reason": "the end"})
    await handle.result()
    await save_runs(engine, handle, "Topic", "life")
    branch = engine.temporal.get_workflow_handle(branches[0])
    await branch.result()
    await save_runs(engine, branch, "Topic", "branch")


async def use_memory(engine: Engine) -> None:
    """Record a write to the shared memory, and one that is refused."""
    for what, text in (("write", "Nothing is lost."), ("refused", "")):
        request = {"commit": {"id": what, "writes": [{"scope": "org", "key": "motto", "text": text}]}}
        handle = await engine.temporal.start_workflow(
            USE_MEMORY_WORKFLOW, request, id=f"recorded/memory/{what}", task_queue=TASK_QUEUE
        )
        with suppress(WorkflowFailureError):
            await handle.result()
        await save(handle, "UseMemory", what)


async def main() -> None:
    """Record all."""
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        async with (
            running_server(path) as server,
            running_engine(server.client, path, apps=[tools.workshop]) as engine,
        ):
            for scene in (agent_life, read_back, refused, team_life, topic_life, use_memory):
                await scene(engine)


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), 120))
