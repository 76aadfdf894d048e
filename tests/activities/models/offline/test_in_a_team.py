"""What the offline model does when a team gives it the floor, in the very words of a team."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aos.message import Message
from aos.team_spec import Member, TeamSpec
from aos_workflows.team.briefing import brief
from aos_workflows.team.task import Line, Task

from .conftest import Dialogue

TASK = "Why did the Corvina strike the reef? Who was the leader of the expedition?"
FOUND = (
    "“Dr. Ingrid Solheim, geologist, was the leader.” (from expedition-report.md)\n\n"
    "“No vessel came to harm.” (from lighthouse-log.md)"
)
WRONG = "“Two vessels came to harm.” (from lighthouse-log.md)"
CHECK = "Check what was said against the documents; if all of it stands there, say APPROVED and repeat the answer."


class Seat:
    """A member of a team, and the task that it works on with others."""

    def __init__(self, role: str) -> None:
        others = [Member(name=name, address=name, role="Helps: a lot.") for name in ("researcher", "writer")]
        self._member = Member(name="me", address="me", role=role)
        self._spec = TeamSpec(name="desk", purpose="Know the harbour.", members=[self._member, *others])
        self._task = Task(message=Message(text=TASK, id="t"), node="team/desk#t", began=0.0)
        self._line("user", TASK)
        self.dialogue = Dialogue()

    def _line(self, source: str, text: str) -> None:
        self._task.lines.append(Line(source=source, text=text, at=datetime.now(UTC).timestamp()))

    async def after(self, **said: str) -> str:
        """Return what the member answers after others have said something."""
        for source, text in said.items():
            self._line(source, text)
        text, _ = brief(self._spec, self._task, self._member, "", alone=False)
        self._task.told["me"] = self._task.count
        answer = (await self.dialogue.ask(text, sender="team/desk")).text
        self._line("me", answer)
        return answer


async def test_who_is_to_read_the_documents_reads_them_all_and_quotes_what_answers_the_task() -> None:
    seat = Seat("Read the documents, and quote what answers the task.")
    answer = await seat.after()
    quotes = answer.split("\n\n")
    assert [quote.rpartition(" (from ")[2] for quote in quotes] == ["lighthouse-log.md)", "expedition-report.md)"]
    assert "lost her rudder chain" in quotes[0]
    read = [call.arguments["path"] for call in seat.dialogue.calls if call.name == "read_document"]
    assert set(read) == {"expedition-report.md", "lighthouse-log.md", "waterworks-handbook.md"}
    assert await seat.after(writer="Thanks.") == answer
    assert [call.name for call in seat.dialogue.calls].count("read_document") == len(read)


async def test_who_is_to_write_puts_together_what_was_found_and_says_from_where() -> None:
    answer = await Seat("Write the answer from what was found, in two sentences.").after(researcher=FOUND)
    assert answer == (
        "Dr. Ingrid Solheim, geologist, was the leader. No vessel came to harm. "
        "(put together from what researcher quotes from expedition-report.md and lighthouse-log.md)"
    )


async def test_who_is_to_check_approves_what_stands_in_the_documents_word_for_word() -> None:
    written = "No vessel came to harm. (put together from what researcher quotes from lighthouse-log.md)"
    answer = await Seat(CHECK).after(researcher=FOUND, writer=written)
    assert answer == (
        "APPROVED: All 2 statements stand word for word in expedition-report.md and lighthouse-log.md.\n\n" + written
    )


async def test_who_is_to_check_names_what_does_not_stand_there_and_who_said_it() -> None:
    answer = await Seat(CHECK).after(researcher=FOUND, writer=WRONG)
    assert "APPROVED" not in answer
    assert "- “Two vessels came to harm.” (said by writer)" in answer
    assert "Ingrid Solheim" not in answer


async def test_without_documents_nothing_is_approved() -> None:
    seat = Seat(CHECK)
    seat.dialogue.tools.clear()
    assert await seat.after(writer=WRONG) == "I have read no document that this could be checked against."


@pytest.mark.parametrize("role", ["", "Writes the notice.", "Says what is wrong with it: everything."])
async def test_a_role_that_only_says_who_somebody_is_leaves_the_task_as_it_is(role: str) -> None:
    seat = Seat(role)
    answer = await seat.after(researcher="“The leader of the expedition was Ada.” (from notes.md)")
    assert "“The leader of the expedition was Ada.” (from notes.md, as researcher quotes it)" in answer
    assert "I found nothing that answers “Why did the Corvina strike the reef?”" in answer
