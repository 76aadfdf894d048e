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

from temporalio.client import WorkflowFailureError, WorkflowHandle

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from aos.message import Event, Message  # noqa: E402
from aos.names import TASK_QUEUE  # noqa: E402
from aos.provider import ModelRequest, ModelResponse  # noqa: E402
from aos.read_back import READ_BACK_WORKFLOW  # noqa: E402
from aos.testing import calls, last_text  # noqa: E402
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


async def main() -> None:
    """Record all."""
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        async with (
            running_server(path) as server,
            running_engine(server.client, path, apps=[tools.workshop]) as engine,
        ):
            for scene in (agent_life, read_back, refused):
                await scene(engine)


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), 120))
