"""Worker processes that are there again as soon as they were killed.

Usage: python -m chaos.worker ADDRESS HOME EFFECTS TOOL_EFFECTS COUNT

The program loads AOS once and forks itself for each worker, before anything of Temporal's core runs. It prints
`born PID` and `died PID CODE`, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from aos.app import App
from aos.connection import connect
from aos.conversation import AssistantItem, UserItem
from aos.errors import AosError
from aos.provider import ModelRequest, ModelResponse
from aos.testing import ScriptedProvider, calls
from aos.tools import current_call, tool
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_workers.settings import Settings
from aos_workers.worker import Parts, running_workers
from chaos.effects import EffectsWriter

AWAY = 75
"""How a worker ends that could not begin, for instance because there was no server."""

_LOOK_SECONDS = 0.05
_AWAY_SECONDS = 0.2

TOOL_MARK = "+tool"
"""Ends the text of a message that wants the tool `record`."""


@dataclass(frozen=True)
class Place:
    """Where the workers work."""

    address: str
    home: Path
    effects: Path
    tool_effects: Path


def answering(effects: EffectsWriter) -> ScriptedProvider:
    """Return a model that writes down which messages it is given, before it answers."""

    def answer(request: ModelRequest) -> ModelResponse:
        if request.key.startswith("compact/"):
            return ModelResponse(text="There were messages.")
        new, texts = _new(request)
        if new:
            effects.write(request.model, request.key, *texts)
        if new and (wanted := [text for text in texts if text.endswith(TOOL_MARK)]):
            return calls(*(_record(text) for text in wanted))
        return ModelResponse(text="done: " + " ".join(texts))

    return ScriptedProvider(answer)


def _record(text: str) -> tuple[str, dict[str, object]]:
    return "record", {"text": text}


def _new(request: ModelRequest) -> tuple[bool, list[str]]:
    """Return what was said since the last answer, and whether the model sees it for the first time."""
    texts: list[str] = []
    first = True
    for item in reversed(request.items):
        if isinstance(item, AssistantItem):
            if not item.tool_calls:
                break
            first = False
        elif isinstance(item, UserItem):
            texts.append(item.text)
    return first, texts[::-1]


def recording(effects: EffectsWriter) -> App:
    """Return an application whose tool has an effect, under its idempotency key."""

    # A tool whose worker is killed is tried again; one kill after the other must not use the attempts up.
    @tool(attempts=50)
    async def record(text: str) -> str:
        """Write a text down."""
        call = current_call()
        effects.write(call.agent, call.key, text)
        return "recorded"

    return App("chaos", tools=[record])


async def work(place: Place) -> None:
    """Serve agents until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    registry = ProviderRegistry([answering(EffectsWriter(place.effects))], ["scripted:nobody"])
    memory = SqliteMemory(place.home / "memory.db")
    parts = Parts(store=SqliteBlobStore(place.home / "blobs.db"), registry=registry, memory=memory)
    apps = [recording(EffectsWriter(place.tool_effects))]
    client = await connect(place.address)
    async with running_workers(client, Settings(home=place.home), parts, apps):
        await stop.wait()


def _fork(place: Place) -> int:
    pid = os.fork()
    if pid:
        _tell(f"born {pid}")
        return pid
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    code = 0
    try:
        asyncio.run(work(place))
    except AosError as error:
        sys.stderr.write(f"{error}\n")
        code = AWAY
    except BaseException:  # noqa: BLE001 - the edge of the process
        traceback.print_exc()
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def keep(place: Place, count: int) -> None:
    """Keep `count` workers alive until standard input ends."""
    alive = {_fork(place) for _ in range(count)}
    while not select.select([sys.stdin], [], [], _LOOK_SECONDS)[0]:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            continue
        alive.discard(pid)
        code = os.waitstatus_to_exitcode(status)
        _tell(f"died {pid} {code}")
        if code == AWAY:
            time.sleep(_AWAY_SECONDS)
        alive.add(_fork(place))
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    address, home, effects, tool_effects, number = sys.argv[1:]
    keep(Place(address, Path(home), Path(effects), Path(tool_effects)), int(number))
