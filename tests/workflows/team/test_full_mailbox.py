"""A team with too many tasks waiting refuses more, tells when to come back, and loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from aos.client import AosClient
from aos.control import Letters
from aos.errors import MailboxFull
from aos.message import Message
from engine.theatre import Theatre, puppet


@pytest.fixture
def client(theatre: Theatre) -> AosClient:
    return AosClient(theatre.temporal)


async def full(theatre: Theatre) -> str:
    """Return a team that works on one task, with as many waiting as there may be, until ada is let go."""
    team = await theatre.start(puppet("ada", {"hold": True}), max_tasks=1, mailbox_limit=2)
    await theatre.send(team, "go", id="t0")
    await theatre.until_heard(theatre.child(team, "ada"))
    for number in (1, 2):
        await theatre.send(team, "go", id=f"t{number}")
    await theatre.until(lambda: theatre.status(team), lambda status: status.tasks_open == 3)
    return team


async def test_who_asks_is_refused_and_told_when_to_come_back(theatre: Theatre, client: AosClient) -> None:
    team = await full(theatre)
    with pytest.raises(MailboxFull, match=f"the mailbox of team/{team} is full; come back in") as caught:
        await client.ask(f"team/{team}", "one more")
    assert (caught.value.name, caught.value.retry_after >= 1) == (f"team/{team}", True)
    await theatre.child(team, "ada").signal("let_go")
    assert (await client.ask(f"team/{team}", Message(text="go", id="t2"))).status == "done", "it was there already"
    assert (await client.ask(f"team/{team}", "one more")).status == "done"


async def test_what_is_sent_becomes_a_dead_letter_that_is_replayed_or_dropped(
    theatre: Theatre, client: AosClient
) -> None:
    team = await full(theatre)
    for number in (7, 8, 9):
        await theatre.send(team, f"too much {number}", id=f"m{number}")
    letters = await theatre.until(lambda: client.dead_letters(f"team/{team}"), lambda found: found.count == 3)
    assert all(letter.replayable and "is full" in letter.reason for letter in letters.letters)
    await theatre.child(team, "ada").signal("let_go")
    await theatre.until_done(team, 3)
    settled = await client.replay_letters(f"team/{team}", Letters(ids=["m8", "m1"]))
    assert list(settled.done) == ["m8"] and "no dead letter" in settled.left["m1"]
    assert (await client.ask(f"team/{team}", Message(text="too much 8", id=settled.done["m8"]))).status == "done"
    report = await theatre.task(team, settled.done["m8"])
    assert report.lines[0].text == "too much 8"
    assert list((await client.drop_letters(f"team/{team}", Letters(all=True))).done) == ["m7", "m9"]
    assert (await client.dead_letters(f"team/{team}")).count == (await theatre.status(team)).dead_letters == 0
    assert not await theatre.failed_tasks(team)


async def test_a_team_that_asks_one_that_is_full_passes_it_over(theatre: Theatre) -> None:
    crowded = await full(theatre)
    team = await theatre.start({"name": "desk", "address": f"team/{crowded}"}, puppet("bob"))
    reply = await theatre.ask(team, "go", id="t1")
    assert reply.text == f"{team}.bob 1"
    (note,) = [text for source, text in await theatre.said(team, "t1") if source == "team"]
    assert note.startswith(f"desk could not speak: the mailbox of team/{crowded} is full")


async def test_a_task_that_came_too_late_is_replayed_from_the_store_after_rollovers(
    theatre: Theatre, client: AosClient
) -> None:
    team = await theatre.start(puppet("ada"), rollover_events=50)
    late = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    for number in range(25):
        await theatre.send(team, "go", id=f"m{number}", deadline=late)
    letters = await theatre.until(lambda: client.dead_letters(f"team/{team}"), lambda found: found.count == 25)
    while not letters.older:
        await theatre.ask(team, "go")
        letters = await client.dead_letters(f"team/{team}")
    assert "its deadline had passed" in letters.letters[-1].reason
    settled = await client.replay_letters(f"team/{team}", Letters(ids=["m0", "m24"]))
    for task in settled.done.values():
        assert (await client.ask(f"team/{team}", Message(text="go", id=task))).status == "done"
    assert (await client.dead_letters(f"team/{team}")).count == 23
    assert not await theatre.failed_tasks(team)


@pytest.mark.parametrize("given", [{}, {"ids": ["m0"], "all": True}, {"ids": "m0"}])
@pytest.mark.parametrize("update", ["replay_letters", "drop_letters"])
async def test_wrong_arguments_are_refused(theatre: Theatre, update: str, given: dict[str, object]) -> None:
    team = await theatre.start(puppet("ada"))
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await theatre.update(team, update, given)
    assert "letters: " in str(failure.value.cause)
