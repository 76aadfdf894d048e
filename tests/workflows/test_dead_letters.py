"""Dead letters are kept whole, and can be taken in once more, or dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from aos.errors import TerminalModelError
from aos.message import Message
from aos.provider import ModelRequest
from aos.testing import last_text
from aos_workflows.dead import DEAD_LETTERS_KEPT
from engine.engine import Engine
from engine.scripts import echo


class Fragile:
    """A script that fails on `bad` messages until it is mended."""

    def __init__(self) -> None:
        self.mended = False

    def __call__(self, request: ModelRequest) -> str:
        if last_text(request).startswith("bad") and not self.mended:
            raise TerminalModelError("scripted", "x", "it is broken", "mend it")
        return str(echo(request))


async def with_dead(engine: Engine, count: int, **spec: Any) -> tuple[str, Fragile]:
    """Return an agent with so many dead letters, and its script."""
    script = Fragile()
    ada = await engine.start(script, **spec)
    for number in range(count):
        await engine.send(ada, f"bad {number}", id=f"m{number}", sender="bob", priority=2)
    await engine.until(lambda: engine.client.status(ada), lambda status: status.failed == count)
    return ada, script


async def test_a_replayed_letter_is_taken_in_under_a_new_id_and_handled(engine: Engine) -> None:
    ada, script = await with_dead(engine, 2)
    script.mended = True
    settled = await engine.update(ada, "replay_letters", {"ids": ["m1", "m7"]})
    assert list(settled["done"]) == ["m1"]
    assert "no dead letter" in settled["left"]["m7"]
    await engine.until_handled(ada, 1)
    assert last_text(engine.models.requests[ada][-1]) == "bad 1"
    reply = await engine.client.reply(ada, settled["done"]["m1"])
    assert reply and reply.text == "echo: bad 1"
    letters = await engine.client.dead_letters(ada)
    assert (letters.count, [letter.id for letter in letters.letters]) == (1, ["m0"])
    assert (await engine.client.status(ada)).dead_letters == 1


async def test_a_letter_that_fails_again_is_a_dead_letter_again_that_names_the_old_one(engine: Engine) -> None:
    ada, _ = await with_dead(engine, 1)
    fresh = (await engine.update(ada, "replay_letters", {"all": True}))["done"]["m0"]
    letters = await engine.until(
        lambda: engine.client.dead_letters(ada), lambda found: [letter.id for letter in found.letters] == [fresh]
    )
    kept = Message.model_validate((await stored(engine, letters.letters[0].ref))[0])
    assert (kept.id, kept.causation, kept.priority, kept.sender) == (fresh, ["m0"], 2, "bob")


async def stored(engine: Engine, ref: str) -> list[Any]:
    return json.loads(await engine.client.text(ref))["entries"]


async def test_dropped_letters_are_gone(engine: Engine) -> None:
    ada, _ = await with_dead(engine, 3)
    assert (await engine.update(ada, "drop_letters", {"ids": ["m0", "m2"]}))["done"] == {"m0": "", "m2": ""}
    assert [letter.id for letter in (await engine.client.dead_letters(ada)).letters] == ["m1"]
    await engine.update(ada, "drop_letters", {"all": True})
    assert (await engine.client.dead_letters(ada)).count == 0


async def test_letters_that_lie_in_the_store_after_rollovers_are_replayed_and_dropped_too(engine: Engine) -> None:
    count = DEAD_LETTERS_KEPT + 10
    ada, script = await with_dead(engine, count, rollover_events=100)
    await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: bool(letters.older))
    script.mended = True
    assert list((await engine.update(ada, "replay_letters", {"ids": ["m0", "m3"]}))["done"]) == ["m0", "m3"]
    assert list((await engine.update(ada, "drop_letters", {"ids": ["m1"]}))["done"]) == ["m1"]
    settled = await engine.update(ada, "replay_letters", {"all": True})
    assert len(settled["done"]) == count - 3
    await engine.until_handled(ada, count - 1)
    letters = await engine.client.dead_letters(ada)
    assert (letters.count, letters.letters, letters.older) == (0, [], "")
    assert await engine.failed_tasks(ada) == []


async def test_what_could_not_be_read_can_only_be_dropped(engine: Engine) -> None:
    ada = await engine.start()
    await engine.signal_bytes(ada, "send", b'{"nonsense": 1}')
    letters = await engine.until(lambda: engine.client.dead_letters(ada), lambda letters: letters.count == 1)
    assert not letters.letters[0].replayable
    name = letters.letters[0].id
    assert "cannot be replayed" in (await engine.update(ada, "replay_letters", {"all": True}))["left"][name]
    assert list((await engine.update(ada, "drop_letters", {"ids": [name]}))["done"]) == [name]


@pytest.mark.parametrize("given", [{}, {"ids": ["m0"], "all": True}, {"ids": "m0"}, {"some": 1}])
@pytest.mark.parametrize("update", ["replay_letters", "drop_letters"])
async def test_wrong_arguments_are_refused_and_change_nothing(
    engine: Engine, update: str, given: dict[str, object]
) -> None:
    ada, _ = await with_dead(engine, 1)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await engine.update(ada, update, given)
    assert "letters: " in str(caught.value.cause)
    assert (await engine.client.dead_letters(ada)).count == 1
