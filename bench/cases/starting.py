"""How long AOS takes to start: its import, its command line, its worker."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from statistics import median as middle

from aos_workers.ready import READY
from bench.measure import Sample
from bench.place import Place
from bench.results import Target, fact, median

ABOUT = (
    "Fresh interpreters that import `aos`, `temporalio.client` and nothing; `aos --help`; and `aos-worker` until it "
    "serves. Byte code is there already."
)
SYSTEMS = ("aos",)
REPETITIONS = 3

_INTERPRETERS, _QUICK_INTERPRETERS = 10, 5
_IMPORT_MS, _HELP_MS, _WORKER_S = 150, 500, 3
_READY_SECONDS = 60

_TIMED = "import time; begin = time.perf_counter(); import {}; print((time.perf_counter() - begin) * 1000)"


async def run(place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]:
    """Start each some times, in turn."""
    count = _QUICK_INTERPRETERS if quick else _INTERPRETERS
    imports: dict[str, list[float]] = {"aos": [], "temporalio.client": []}
    helps: list[float] = []
    bare: list[float] = []
    for number in range(count + 1):
        for name, taken in imports.items():
            taken.append(float((await _output("-c", _TIMED.format(name)))[1]))
        helps.append((await _output("-m", "aos.cli", "--help"))[0])
        bare.append((await _output("-c", "pass"))[0])
        if not number:  # The first makes the byte code, and brings the files into memory.
            for taken in (*imports.values(), helps, bare):
                taken.clear()
    workers = [await _worker_seconds(place, number) for number in range(3)]
    sample = Sample("starting", system, 1)
    sample.facts = {
        "import_ms": middle(imports["aos"]),
        "import_temporalio_ms": middle(imports["temporalio.client"]),
        "help_ms": middle(helps),
        "python_ms": middle(bare),
        "worker_s": middle(workers),
    }
    yield sample


async def _output(*arguments: str) -> tuple[float, str]:
    """Return the milliseconds that Python took with these arguments, and what it printed."""
    begin = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {process.returncode}")
    return (time.perf_counter() - begin) * 1000, output.decode()


async def _worker_seconds(place: Place, number: int) -> float:
    """Return how long a worker takes from the start of its process until it serves."""
    home = place.folder / f"home-{number}"
    arguments = ["--offline", "--home", str(home), "--address", place.server.address]
    begin = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "aos_workers",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("AOS_", "TEMPORAL_"))},
    )
    assert process.stdout
    try:
        async with asyncio.timeout(_READY_SECONDS):
            said: list[str] = []
            while READY not in (line := (await process.stdout.readline()).decode()):
                said.append(line)
                if not line:
                    raise RuntimeError(f"the worker ended before it served: {''.join(said)}")
        return time.perf_counter() - begin
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def targets(samples: Sequence[Sample]) -> list[Target]:
    """Import, help, worker."""
    return [
        Target("import of aos", median(samples, "aos", 1, fact("import_ms")), at_most=_IMPORT_MS, unit="ms"),
        Target("aos --help", median(samples, "aos", 1, fact("help_ms")), at_most=_HELP_MS, unit="ms"),
        Target("start of a worker", median(samples, "aos", 1, fact("worker_s")), at_most=_WORKER_S, unit="s"),
    ]
