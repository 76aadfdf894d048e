"""Whatever a model's service answers: a step that can be gone on from, or one typed error."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from aos.conversation import Item, NoteItem, ToolItem, UserItem
from aos.provider import ToolSchema
from aos.store import ref_of
from aos_activities.conversations import Conversations
from aos_activities.memory.sqlite import SqliteMemory
from aos_activities.models.registry import ProviderRegistry
from aos_activities.programs import Program
from aos_activities.think import ThinkActivities, ThinkRequest, Thought
from fuzzing.adapters import Memory, adapter
from fuzzing.blobs import MemoryBlobStore
from fuzzing.cases import Cases
from fuzzing.replies import mutant
from wire.credentials import only_these
from wire.script import Received, Response, Say

_UNUSED = SqliteMemory(Path("never made"))
CONVERTER = pydantic_data_converter.payload_converter
HISTORY_BYTES = 1024 * 1024
SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}
TOOLS = [
    ToolSchema(name="hammer", description="Hit a nail.", parameters={"properties": {"nail": {"type": "string"}}}),
    ToolSchema(name="saw", description="Saw a board.", parameters={}),
]
ERRORS = {"RetryableModelError", "TerminalModelError"}


@pytest.fixture(autouse=True)
def only_these_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is set up on this machine out of the tests."""
    only_these(monkeypatch)


class Steps:
    """The steps of agents that ask one adapter, of which each is a case."""

    def __init__(self, name: str, *, stream: bool) -> None:
        self.memory = Memory()
        self.stream = stream
        self._name = name
        self._provider, self.wire = adapter(name, self.memory)
        self._store = MemoryBlobStore()
        registry = ProviderRegistry([self._provider], [f"{self._provider.name}:m"])
        self._thinking = ThinkActivities(self._store, registry, Conversations(self._store), _UNUSED)
        self._environment = ActivityEnvironment()

    async def begin(self) -> tuple[str, str]:
        """Keep the programs of an agent that may say anything, and of one whose replies fit a schema."""
        blobs = [
            Program(system="You are terse.", tools=TOOLS, output_schema=schema).model_dump_json().encode()
            for schema in (None, SCHEMA)
        ]
        await self._store.save(blobs)
        return ref_of(blobs[0]), ref_of(blobs[1])

    async def answer(self, number: int, program: str, given: Response) -> str:
        """Have an agent think, do what it wants to be done, and think again."""
        self.memory.answers.clear()
        self.memory.asked.clear()
        self.memory.answers.append(given)
        first = ThinkRequest(life=str(number), turn=1, step=0, program=program, stream=self.stream)
        first.answers = ["m"]
        first.new = [UserItem(text="Hello")]
        try:
            thought = await self._think(first)
        except ApplicationError as error:
            return self._named(error)
        if not thought.tool_calls and number % 5:
            return "output error" if thought.output_error else "text"
        results: list[Item] = [ToolItem(call_id=call.id, name=call.name, text="done") for call in thought.tool_calls]
        again = ThinkRequest(life=str(number), turn=1, step=1, program=program, head=thought.head, new=results)
        again.new = results or [NoteItem(text=thought.output_error or "Go on.")]
        right = Received("/model/m/converse", {}, {}, {"messages": [{"role": "user", "content": []}]})
        self.memory.answers.append(self.wire.speak(right, Say(pieces=('{"a": 1}',))))
        last = await self._think(again)
        assert problem_of(self.wire, self.memory) == ""
        assert (last.text, last.output_error) == ('{"a": 1}', "")
        return "tool calls" if results else "output error" if thought.output_error else "text"

    def _named(self, error: ApplicationError) -> str:
        if error.type not in ERRORS or len(error.message) > 2000:
            raise error
        return error.type

    async def _think(self, request: ThinkRequest) -> Thought:
        _carried(request)
        thought: Thought = await self._environment.run(self._thinking.think, request)
        _carried(thought)
        return thought

    async def aclose(self) -> None:
        """Close the adapter."""
        await self._provider.aclose()


def problem_of(wire: ModuleType, memory: Memory) -> str:
    """Return what a real service would refuse in the last request."""
    return str(wire.problem_of(memory.asked[-1]))


def _carried(value: ThinkRequest | Thought) -> None:
    """Check that a payload holds what an activity takes or gives, and that it is the same on the other side."""
    payload = CONVERTER.to_payloads([value])[0]
    assert len(payload.data) < HISTORY_BYTES
    assert CONVERTER.from_payloads([payload], [type(value)])[0] == value


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", ["openai", "bedrock"])
async def test_after_any_reply_a_step_can_be_gone_on_from_or_has_failed_by_name(
    name: str, stream: bool, seed: int, long_form: bool
) -> None:
    cases = Cases(seed, f"{name} {'streamed' if stream else 'whole'}")
    steps = Steps(name, stream=stream)
    programs = await steps.begin()
    for number in range(12_500 if long_form else 2_500):
        chance: Random = cases.chance(number)
        program = programs[chance.random() < 0.3]
        given = mutant(chance, steps.wire, stream=stream)
        await cases.await_one(number, given, steps.answer(number, program, given))
    await steps.aclose()
    cases.check()
    assert min(cases.outcomes[kind] for kind in ("tool calls", "text", "RetryableModelError")) > 50
