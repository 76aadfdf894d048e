"""`aos up`, `aos demo` and `aos doctor` as a person runs them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aos.client import AosClient
from aos_workers.temporal.server import free_port

AOS = [sys.executable, "-m", "aos.cli"]


class Up:
    """An `aos up` that runs."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path, port: int) -> None:
        self.process = process
        self.home = home
        self.address = f"127.0.0.1:{port}"

    async def stop(self) -> str:
        """End it as Ctrl-C does, and return what it wrote."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        written, _ = await self.process.communicate()
        return written.decode()


@asynccontextmanager
async def up(home: Path, *arguments: str) -> AsyncGenerator[Up]:
    port = free_port()
    command = [*AOS, "up", "--home", str(home), "--port", str(port), "--ui-port", str(free_port()), "--offline"]
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=_environment()
    )
    running = Up(process, home, port)
    try:
        assert process.stdout
        lines: list[bytes] = []
        while not lines or b"AOS is up" not in lines[-1]:
            lines.append(await process.stdout.readline())
            assert lines[-1], b"".join(lines).decode()
        yield running
    finally:
        await running.stop()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "AOS_"))}


async def run(*command: str, cwd: Path | None = None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=_environment(), cwd=cwd
    )
    written, _ = await process.communicate()
    return process.returncode or 0, written.decode()


@pytest.mark.timeout(180)
async def test_two_homes_live_side_by_side_and_their_agents_outlive_them(tmp_path: Path) -> None:
    async with up(tmp_path / "one") as one, up(tmp_path / "two") as two:
        here, there = await AosClient.connect(one.address), await AosClient.connect(two.address)
        await here.start({"name": "ada"})
        await here.ask("ada", "Note that the parcel is in the blue shed.", timeout=60)
        assert await here.names() == ["ada"]
        assert await there.names() == []
        assert "in use" in (await run(*AOS, "up", "--home", str(one.home), "--port", str(free_port())))[1]
        assert "AOS" not in await two.stop() or two.process.returncode == 0
    async with up(tmp_path / "one") as one:
        again = await AosClient.connect(one.address)
        assert "blue shed" in (await again.ask("ada", "Where is the parcel?", timeout=60)).text


@pytest.mark.timeout(120)
async def test_a_worker_that_is_killed_is_started_again_and_logs_in_json_with_agent_and_message(tmp_path: Path) -> None:
    async with up(tmp_path) as running:
        client = await AosClient.connect(running.address)
        await client.start({"name": "ada"})
        first = await client.ask("ada", "Note that the sky is blue.", timeout=60)
        os.kill(_worker(running), signal.SIGKILL)
        await client.ask("ada", "What is blue?", timeout=60)
    lines = [json.loads(line) for line in (tmp_path / "logs/worker.log").read_text().splitlines() if line[0] == "{"]
    handled = [line for line in lines if line["event"] == "message_handled"]
    assert handled[0]["agent"] == "ada"
    assert handled[0]["message_ids"] == [first.id]
    assert len({tuple(line["message_ids"]) for line in handled}) == len(handled) == 2


@pytest.mark.timeout(120)
async def test_after_everything_was_killed_the_next_up_goes_on_without_help(tmp_path: Path) -> None:
    async with up(tmp_path) as running:
        client = await AosClient.connect(running.address)
        await client.start({"name": "ada"})
        await client.ask("ada", "Note that the parcel is in the blue shed.", timeout=60)
        running.process.kill()
        await running.process.wait()
    async with up(tmp_path) as running:
        client = await AosClient.connect(running.address)
        assert "blue shed" in (await client.ask("ada", "Where is the parcel?", timeout=60)).text


def _worker(running: Up) -> int:
    """Return the process id of the worker that a running `aos up` has started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = stat.with_name("cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == running.process.pid and b"aos_workers" in command:
            return int(stat.parent.name)
    raise AssertionError("no worker runs")


@pytest.mark.timeout(180)
async def test_the_demo_ends_by_itself_loses_nothing_and_shows_what_it_did(tmp_path: Path) -> None:
    documents: Sequence[Path] = [tmp_path / "mill.md", tmp_path / "ferry.md"]
    documents[0].write_text("# The mill\n\nThe mill stands at the weir. It was built by Anna Brandt in 1871.\n")
    documents[1].write_text("# The ferry\n\nThe ferry leaves at a quarter past eight from Tarn Quay.\n")
    code, written = await run(*AOS, "demo", "--home", str(tmp_path / "home"), "--offline", *map(str, documents))
    assert code == 0, written
    assert "4 messages, 0 lost; handled by the agent: 4" in written
    assert "with SIGKILL while the agent was: Working on" in written
    assert re.search(r"offline:extractive +│ +\d", written), "the cost table"
    assert "Web UI: http://127.0.0.1:" in written
    assert "the team's task is done: " in written
    said = " ".join(re.sub("[│├─┼┤]", " ", written.partition("What was said in its task")[2]).split())
    assert "researcher “The ferry leaves at a quarter past eight from Tarn Quay.” (from ferry.md)" in said
    assert "critic APPROVED: All 3 statements stand word for word in ferry.md and mill.md." in said


async def test_the_doctor_names_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *AOS,
        "doctor",
        "--home",
        str(tmp_path),
        env={**_environment(), "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}", "AOS_DOCUMENTS": "/no/such/folder"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written = " ".join((await process.communicate())[0].decode().split())
    assert process.returncode == 1
    assert "no Temporal server answers" in written
    assert "aos up" in written
    assert "/no/such/folder" in written
