"""Programs that use AOS end as they should."""

from __future__ import annotations

import asyncio
import json
import sys

from temporalio.testing import WorkflowEnvironment

PROGRAM = """
import asyncio, json, os, sys
from aos import AgentNotFound, AosClient

async def main():
    client = await AosClient.connect(sys.argv[1])
    try:
        await client.pause("nobody")
    except AgentNotFound:
        sys.exit(7)

def forked():
    process = os.fork()
    if process == 0:
        asyncio.run(main())
    return process

rounds, at_once = map(int, sys.argv[2:])
codes = []
for _ in range(rounds):
    programs = [forked() for _ in range(at_once)]
    codes += [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in programs]
print(json.dumps(codes))
"""
"""Forks for each program that is to end: its interpreter ends as any does, and only the imports are shared."""
ROUNDS, AT_ONCE = 8, 3


async def test_a_program_that_ends_right_after_an_answer_ends_with_its_own_exit_code(
    temporal: WorkflowEnvironment,
) -> None:
    address = temporal.client.service_client.config.target_host
    programs = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, address, str(ROUNDS), str(AT_ONCE)), stdout=asyncio.subprocess.PIPE
    )
    written, _ = await programs.communicate()
    assert programs.returncode == 0
    assert json.loads(written) == [7] * (ROUNDS * AT_ONCE)
