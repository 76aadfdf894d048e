"""Malformed answers to living agents: the message has a reply or a dead letter, and the next one is answered."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from temporalio.testing import WorkflowEnvironment

from aos.errors import MessageFailed
from aos.message import Message
from engine.engine import Engine, running_engine
from engine.tools import workshop
from fuzzing.adapters import KEY, Memory, adapter
from fuzzing.replies import mutant
from wire.script import Json, Received, Response, Say

AGENTS = 10
_CASE = re.compile(r"case (\d+);")


class Crooked(Memory):
    """A model whose first answer to each case is malformed, and every other one right."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self.wire: ModuleType
        self.given: set[str] = set()

    def answer(self, path: str, body: Json) -> Response:
        """Answer a request, which must be one that a real service takes."""
        case = _CASE.findall(json.dumps(body["messages"]))[-1:]
        if case and case[0] not in self.given:
            self.given.add(case[0])
            stream = bool(body.get("stream")) or path.endswith("-stream")
            return mutant(Random(f"{self.seed}/agents/{case[0]}"), self.wire, stream=stream)
        right: Response = self.wire.speak(Received(path, {}, {}, body), Say(("Here.",)))
        return right


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["openai", "bedrock"])
async def test_after_a_malformed_answer_an_agent_answers_the_next_message(
    name: str,
    temporal: WorkflowEnvironment,
    tmp_path: Path,
    seed: int,
    long_form: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": KEY}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    model = Crooked(seed)
    provider, model.wire = adapter(name, model)
    outcomes: Counter[str] = Counter()
    async with running_engine(temporal.client, tmp_path, provider, apps=[workshop]) as engine:
        names = [await engine.start(model=f"{name}:m", tools=["workshop/hammer"]) for _ in range(AGENTS)]
        each = (500 if long_form else 100) // AGENTS
        cases = [range(index * each, (index + 1) * each) for index in range(AGENTS)]
        try:
            await asyncio.gather(*(_live(engine, ada, some, outcomes) for ada, some in zip(names, cases, strict=True)))
            assert [await engine.failed_tasks(ada) for ada in names] == [[]] * AGENTS
        except Exception as error:
            raise AssertionError(f"run again with --seed {seed}: {type(error).__name__}: {error}") from error
    assert len(model.given) == each * AGENTS
    assert outcomes["replied"] > 0


async def _live(engine: Engine, ada: str, cases: range, outcomes: Counter[str]) -> None:
    for number in cases:
        try:
            await engine.client.ask(ada, Message(text=f"case {number};", stream=number % 2 == 0))
            outcomes["replied"] += 1
        except MessageFailed:
            outcomes["failed"] += 1
        assert await engine.ask(ada, "Are you there?") == "Here.", f"after case {number}"
