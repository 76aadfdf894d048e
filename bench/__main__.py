"""`python -m bench`: run the benchmark, or make its report anew."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.case import Case, all_cases, load_case
from bench.environment import describe_environment
from bench.peer import all_peers
from bench.report import RESULTS, read_record, target_table, write_record, write_report
from bench.runner import Runner


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="AOS beside raw Temporal and its peers.")
    parser.add_argument("--cases", type=_names, default=[], help=f"of {', '.join(all_cases())}; default: all")
    parser.add_argument("--systems", type=_names, default=[], help="floor, aos and names of peers; default: all")
    parser.add_argument("--repetitions", type=int, help="of every case; default: as the case says")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, at most 2 repetitions")
    parser.add_argument("--report", action="store_true", help="only make the report, from the results there are")
    parser.add_argument("--results", type=Path, help="folder; default: bench/results, of a quick run quick in it")
    given = parser.parse_args()
    if unknown := set(given.cases) - set(all_cases()):
        parser.error(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(all_cases())}")
    # Whoever forbids Python to keep byte code would have everything measured with the time to make it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    results = given.results or (RESULTS / "quick" if given.quick else RESULTS)
    if not given.report:
        cases = [load_case(name) for name in given.cases or all_cases()]
        try:
            asyncio.run(_run(cases, given.systems, given.repetitions, results, quick=given.quick))
        except asyncio.CancelledError:
            raise SystemExit(130) from None
    report = write_report(results, [load_case(name) for name in all_cases()])
    _tell(f"the report is {report}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


async def _run(
    cases: Sequence[Case], systems: Sequence[str], repetitions: int | None, results: Path, *, quick: bool
) -> None:
    begin = time.monotonic()
    this = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Servers and workers are sessions of their own: they end because this one ends them.
        asyncio.get_running_loop().add_signal_handler(number, this.cancel if this else lambda: None)

    def progress(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - begin), 60)
        _tell(f"{minutes:3}:{seconds:02} {line}")

    environment = describe_environment()
    progress(f"load before the run: {environment['load before the run']}")
    with_peers = any(case.peers(quick) for case in cases)
    peers = all_peers() if with_peers else []
    packages = {peer.name: peer.dependencies for peer in peers}
    async with Runner(systems, peers, repetitions, quick=quick, report=progress) as runner:
        for case in cases:
            outcome = await runner.run(case)
            write_record(results, outcome, environment, packages if case.peers(quick) else {}, quick=quick)
            record = read_record(results, case.name)
            targets = case.targets(record.samples) if record else []
            _tell("\n".join(target_table((case.name, target) for target in targets)))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
