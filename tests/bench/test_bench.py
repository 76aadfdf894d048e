"""The benchmark as it is run."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from bench.report import read_record
from bench.results import fact, median

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(240)


@asynccontextmanager
async def benchmark(results: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "--quick", "--cases", "history", "--repetitions", "1"),
        *("--results", str(results)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def test_a_quick_run_measures_the_floor_and_aos_and_writes_the_report(tmp_path: Path) -> None:
    async with benchmark(tmp_path) as process:
        printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    record = read_record(tmp_path, "history")
    assert record is not None, printed
    assert record.missing == {}
    assert median(record.samples, "floor", 0, fact("events_per_turn")) == 11
    assert median(record.samples, "aos", 0, fact("events_per_turn")) == 11
    report = (tmp_path / "README.md").read_text()
    assert "| history | events of a plain turn | at most 11 | 11 | ok |" in report
    assert str(ROOT) not in report


async def test_a_run_that_is_ended_ends_its_servers_and_workers(tmp_path: Path) -> None:
    async with benchmark(tmp_path) as process:
        assert process.stdout
        while b"floor 0:" not in (line := await process.stdout.readline()):
            assert line
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 130
    assert started
    # What was told to end, or killed, may be a moment behind the one that told it.
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive
