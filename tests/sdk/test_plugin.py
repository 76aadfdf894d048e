"""Programs that use AOS end as they should."""

from __future__ import annotations

import asyncio
import sys

from temporalio.testing import WorkflowEnvironment

PROGRAM = """
import asyncio, sys
from aos import AgentNotFound, AosClient

async def main():
    client = await AosClient.connect(sys.argv[1])
    try:
        await client.pause("nobody")
    except AgentNotFound:
        sys.exit(7)

asyncio.run(main())
"""
ROUNDS, AT_ONCE = 8, 3


async def test_a_program_that_ends_right_after_an_answer_ends_with_its_own_exit_code(
    temporal: WorkflowEnvironment,
) -> None:
    address = temporal.client.service_client.config.target_host
    codes: set[int | None] = set()
    for _ in range(ROUNDS):
        programs = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, address) for _ in range(AT_ONCE)
        ]
        for program in programs:
            codes.add(await program.wait())
    assert codes == {7}
