from __future__ import annotations

import json
from uuid import uuid4

import pytest

from aos.topic import Subscription, TopicStatus
from command_line import Command


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid4().hex[:8]}"


def test_a_topic_lives_from_the_first_subscription_to_its_end(aos: Command, ada: str, topic: str) -> None:
    told = aos("topic", "subscribe", topic, ada, "--filter", "{type: equals, path: wind.force, value: 9}").stdout
    assert told == f"agent/{ada} is told what is published on {topic}, where its filter holds\n"
    assert (
        aos("topic", "subscribe", topic, "nobody-of-this-name").stdout
        == f"agent/nobody-of-this-name is told what is published on {topic}\n"
    )

    sent = aos.json("topic", "publish", topic, "a gale", "--data", "{wind: {force: 9}}", "--id", "gale-1")
    assert sent == {"topic": topic, "id": "gale-1"}
    aos("topic", "publish", f"topic/{topic}", "-", "--priority", "5", stdin="a calm")
    aos.until("status", ada, holds=lambda status: status["handled"] == 1)
    assert "a gale" in aos("log", ada).stdout

    shown = aos.until("topic", "show", topic, holds=lambda shown: shown["dropped_count"] == 1 and not shown["waiting"])
    wanted = {"type": "equals", "path": ["wind", "force"], "value": 9}
    assert shown.pop("subscriptions") == [{"subscriber": f"agent/{ada}", "filter": wanted}]
    status = TopicStatus.model_validate(shown)
    assert (status.published, status.delivered, status.subscribers) == (2, 1, 1)

    lines = aos("topic", "show", topic).stdout.splitlines()
    assert lines[0].startswith(f"{topic} is serving; began ")
    assert lines[1] == "1 subscriber; 2 published, 1 delivered, 0 on their way"
    subscriber, shown_filter = lines[3].split(maxsplit=1)
    assert (subscriber, json.loads(shown_filter)) == (f"agent/{ada}", wanted)
    assert lines[4].startswith("dropped ") and "agent/nobody-of-this-name" in lines[4]

    gone = Subscription.model_validate(aos.json("topic", "unsubscribe", topic, ada))
    assert gone.subscriber == f"agent/{ada}" and gone.filter
    assert (
        aos("topic", "stop", topic, "--reason", "The gale is over.").stdout == f"{topic} is stopped: 2 publications\n"
    )


def test_the_topics_are_listed_as_long_as_they_are_there(aos: Command, topic: str) -> None:
    assert f"published on {topic}: " in aos("topic", "publish", topic, "nobody hears this").stdout
    aos.until("topic", "ls", holds=lambda found: topic in [each["name"] for each in found])
    (line,) = [each for each in aos.lines("topic", "ls") if each["name"] == topic]
    assert TopicStatus.model_validate(line).published == 1
    row = next(row.split() for row in aos("topic", "ls").stdout.splitlines() if row.startswith(topic))
    assert row == [topic, "serving", "0", "1", "0", "0", "0"]
    assert aos.json("topic", "stop", topic, "--reason", "enough")["reason"] == "enough"
    aos.until("topic", "ls", holds=lambda found: topic not in [each["name"] for each in found])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["publish", "no name", "x"], "topic: name: a name starts with"),
        (["publish", "agent/ada", "x"], "is no topic; write its name, or topic/NAME"),
        (["publish", "ships"], "give either TEXT"),
        (["publish", "ships", "x", "--data", "{a: "], "--data: "),
        (["publish", "ships", "x", "--data", "--- 1\n--- 2"], "--data: one value is needed, and it has 2"),
        (["subscribe", "ships", "planet/mars"], "subscriber: 'planet/mars' is no address"),
        (["subscribe", "ships", "ada", "--filter", "{type: colour}"], "filter.type: 'colour' is none of"),
        (["subscribe", "ships", "ada", "--filter", "storm"], "filter: "),
        (["stop", "ships.1"], "ends in a dot and a number"),
    ],
)
def test_what_cannot_be_read_is_named_before_anything_happens(aos: Command, words: list[str], problem: str) -> None:
    assert problem in aos("topic", *words, code=2).stderr


@pytest.mark.parametrize("verb", ["show", "stop"])
def test_a_topic_that_there_is_not_is_one_clear_line(aos: Command, verb: str) -> None:
    stderr = aos("topic", verb, "nothing-here", code=1).stderr
    assert stderr.startswith("aos: there is no topic at 'topic/nothing-here'; `aos topic ls`")
    assert stderr.count("\n") == 1


def test_unsubscribing_where_there_is_no_topic_is_no_error(aos: Command, topic: str) -> None:
    told = aos("topic", "unsubscribe", topic, "ada").stdout
    assert told == f"agent/ada is told nothing more of {topic}\n"
