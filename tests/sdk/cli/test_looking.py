from __future__ import annotations

import signal
from itertools import pairwise

from aos.spec import AgentSpec
from aos.views import AgentStatus, DeadLetters, InboxView, TranscriptPage
from command_line import Command, Target


def test_status_tells_a_person_how_the_agent_is(aos: Command, ada: str) -> None:
    aos("ask", ada, "hello")
    shown = aos("status", ada).stdout
    assert shown.startswith(f"{ada} is waiting\n")
    for part in ("Watch the harbour.", "0 waiting, 1 handled, 0 failed", "1 turn", "1,200 tokens in, 30 out"):
        assert part in shown


def test_json_is_that_of_the_model(aos: Command, ada: str) -> None:
    models = {"status": AgentStatus, "inbox": InboxView, "dead-letters": DeadLetters, "spec": AgentSpec}
    for command, model in {**models, "log": TranscriptPage}.items():
        found = aos.json(command, ada)
        assert model.model_validate(found).model_dump(mode="json") == found, command


def test_ps_lists_the_living_agents(aos: Command, ada: str) -> None:
    aos.until("ps", holds=lambda agents: ada in [agent["name"] for agent in agents])
    (line,) = [line for line in aos("ps").stdout.splitlines() if line.startswith(ada)]
    assert line.split()[1:5] == ["waiting", "0", "0", "$0.00"]
    (record,) = [status for status in aos.lines("ps") if status["name"] == ada]
    assert AgentStatus.model_validate(record).condition == "waiting"


def test_ps_of_nothing_says_how_to_start_an_agent(workers: Target) -> None:
    nobody = Command("--address", workers.address, "--namespace", "temporal-system")
    assert "aos start ada --purpose" in nobody("ps").stdout
    assert nobody.json("ps") == []


def test_ps_watch_goes_on_until_ctrl_c(aos: Command, ada: str) -> None:
    with aos.process("ps", "--watch", "-o", "jsonl") as process:
        assert process.stdout is not None
        seen = 0
        while seen < 2:
            seen += ada in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_the_inbox_is_listed_most_urgent_first(aos: Command, ada: str) -> None:
    assert aos("inbox", ada).stdout == f"nothing waits for {ada}\n"
    aos("pause", ada)
    for priority in ("5", "1", "3"):
        aos("send", ada, f"message {priority}", "--priority", priority, "--sender", "ben")
    rows = aos("inbox", ada).stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["PRIORITY", "1", "3", "5"]
    assert "message 1" in rows[1]


def test_dead_letters_are_listed_with_their_reasons(aos: Command, ada: str) -> None:
    assert aos("dead-letters", ada).stdout == f"{ada} has no dead letters\n"
    aos("ask", ada, "fail", "--id", "bad", code=1)
    shown = aos("dead-letters", ada).stdout
    assert shown.startswith("bad, ")
    assert "it does not want to" in shown


def test_the_log_shows_what_was_said_and_done(aos: Command, ada: str) -> None:
    assert aos("log", ada).stdout == f"nothing was said to {ada} yet\n"
    aos("ask", ada, "What time is it?", "--sender", "ben")
    lines = aos("log", ada).stdout.splitlines()
    assert lines[0] == "ben> What time is it?"
    assert lines[1] == f"{ada} calls current_time()"
    assert lines[2].startswith("current_time> ")
    assert lines[3] == f"{ada}> You said: What time is it?"
    assert [line["kind"] for line in aos.lines("log", ada)] == ["user", "assistant", "tool", "assistant"]


def test_the_log_shows_as_many_items_as_wanted(aos: Command, ada: str) -> None:
    for number in range(3):
        aos("ask", ada, f"number {number}")
    assert aos("log", ada, "-n", "2").stdout == f"you> number 2\n{ada}> You said: number 2\n"
    assert aos.json("log", ada, "-n", "2")["more"] is True
    assert aos.json("log", ada, "-n", "0")["lines"] == []


def test_the_log_is_whole_over_many_pages(aos: Command, ada: str) -> None:
    for number in range(6):
        aos("ask", ada, f"something long {number}")
    texts = [line["text"] for line in aos.json("log", ada)["lines"]]
    assert texts[::2] == [f"something long {number}" for number in range(6)]
    assert min(map(len, texts[1::2])) > 100_000


def test_log_follow_shows_each_new_item_once_and_in_order(aos: Command, ada: str) -> None:
    aos("ask", ada, "before")
    with aos.process("log", ada, "-f", "-n", "1") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{ada}> You said: before\n"
        aos("ask", ada, "same")
        expected = [*(f"{ada}> You said: same\n", "you> same\n")[::-1]]
        assert [process.stdout.readline() for _ in range(2)] == expected
        for _ in range(2):
            aos("ask", ada, "same")
        assert [process.stdout.readline() for _ in range(4)] == expected * 2
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_log_follow_catches_up_with_many_items_at_once(aos: Command, ada: str) -> None:
    with aos.process("log", ada, "-f", "-o", "jsonl") as process:
        assert process.stdout is not None
        aos("pause", ada)
        for number in range(25):
            aos("send", ada, f"number {number}")
        aos("resume", ada)
        said = [line for line in (process.stdout.readline() for _ in range(50)) if '"kind":"user"' in line]
        numbers = [int(line.partition("number ")[2].partition('"')[0]) for line in said]
        assert numbers == sorted(numbers)
        assert all(after == before + 1 for before, after in pairwise(numbers))
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_log_follow_cannot_be_one_json_document(aos: Command, ada: str) -> None:
    assert "take -o jsonl" in aos("log", ada, "-f", "-o", "json", code=2).stderr
