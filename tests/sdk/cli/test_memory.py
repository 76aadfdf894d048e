from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest

from aos.memory import Filter, LogEntry, Record, Transaction, Write
from aos_activities.memory.sqlite import SqliteMemory
from command_line import Command
from engine.postgres import fresh_database


@pytest.fixture
def scope() -> str:
    return f"team/team-{uuid4().hex[:8]}"


def test_what_is_put_is_got_found_and_listed(aos: Command, scope: str) -> None:
    told = aos("memory", "put", scope, "customers/acme", "Acme pays late.", "--tag", "payment", "--why", "May").stdout
    assert told == f"customers/acme in {scope} has version 1 now\n"
    written = aos.json("memory", "put", scope, "rates", "--data", "{eur: 1.1}", "--kind", "procedure", "--by", "eve")
    assert written == {"scope": scope, "key": "rates", "version": 1}
    aos("memory", "put", scope, "long", "-", stdin="word " * 200)

    record = Record.model_validate(aos.json("memory", "get", scope, "customers/acme"))
    assert (record.text, record.tags, record.why, record.kind) == ("Acme pays late.", ["payment"], "May", "fact")
    lines = aos("memory", "get", scope, "rates").stdout.splitlines()
    assert lines[0] == f"{scope}  rates  version 1  procedure"
    assert lines[1].endswith(" by eve") and lines[2] == '{"eur": 1.1}'

    (found, *_) = aos.json("memory", "search", "who pays late", "--scope", scope)
    assert found["record"]["key"] == "customers/acme" and found["places"]["words"] == 1
    assert "Acme pays late." in aos("memory", "search", "acme", "--scope", scope, "--tag", "payment").stdout
    assert aos("memory", "search", "acme", "--scope", scope, "--kind", "block").stdout == "nothing was found\n"

    assert [each["key"] for each in aos.lines("memory", "ls", scope)] == ["customers/acme", "long", "rates"]
    assert [each["key"] for each in aos.lines("memory", "ls", scope, "--limit", "1")] == ["customers/acme"]
    rows = [row.split() for row in aos("memory", "ls", scope, "--prefix", "cust").stdout.splitlines()]
    assert rows[0][:3] == ["SCOPE", "KEY", "VERSION"] and rows[1][:4] == [scope, "customers/acme", "1", "fact"]
    assert "`aos memory put` writes something" in aos("memory", "ls", f"{scope}-of-nobody").stdout


def test_what_stands_there_twice_is_forgotten_once_that_is_asked_for(aos: Command, scope: str) -> None:
    aos("memory", "put", scope, "a", "The tide turns at noon.")
    aos("memory", "put", scope, "b", "The tide turns at noon.")
    aos("memory", "put", scope, "met", "We met.", "--kind", "episode")
    asked = ["memory", "compact", "--scope", scope, "--episodes", "0"]
    told = [f"a in {scope}: b says the same", f"met in {scope}: there are enough newer episodes"]
    assert aos(*asked, "--dry-run").stdout.splitlines() == [*told, "2 records would be forgotten"]
    (first, _) = aos.json(*asked, "--dry-run")
    assert first == {"scope": scope, "key": "a", "version": 1, "reason": "twice", "like": "b"}
    assert aos(*asked).stdout.splitlines() == [*told, "2 records forgotten"]
    assert [each["key"] for each in aos.lines("memory", "ls", scope)] == ["b"]
    assert aos(*asked).stdout == "0 records forgotten\n"


def test_what_a_record_was_is_kept(aos: Command, scope: str) -> None:
    aos("memory", "put", scope, "motto", "one", "--expected", "0")
    then = aos.json("memory", "get", scope, "motto")["at"]
    aos("memory", "put", scope, "motto", "two", "--expected", "1")
    failed = aos("memory", "put", scope, "motto", "three", "--expected", "1", code=1).stderr
    assert f"'motto' in {scope} has version 2, not 1: read it again" in failed
    assert aos.json("memory", "get", scope, "motto", "--as-of", then)["text"] == "one"
    assert "is no more" in aos("memory", "forget", scope, "motto", "--why", "a better one").stdout
    assert f"there is no 'motto' in {scope}; `aos memory ls" in aos("memory", "get", scope, "motto", code=2).stderr
    versions = [Record.model_validate(each) for each in aos.lines("memory", "history", scope, "motto")]
    were = [(each.version, each.text, each.forgotten) for each in versions]
    assert were == [(3, "", True), (2, "two", False), (1, "one", False)]
    assert aos("memory", "history", scope, "motto").stdout.splitlines()[2] == "forgotten"
    assert "there never was" in aos("memory", "history", scope, "other").stdout
    entries = [LogEntry.model_validate(each) for each in aos.lines("memory", "log")]
    assert [entry.why for entry in entries if entry.changed[0].scope == scope] == ["", "", "a better one"]
    last = aos("memory", "log", "--after", str(entries[-1].number - 1)).stdout
    assert last.endswith(f"motto in {scope} v3 (a better one)\n")


def test_what_is_exported_is_imported_once(aos: Command, scope: str, tmp_path: Path) -> None:
    for number in range(3):
        aos("memory", "put", scope, f"k{number}", f"text {number}", "--data", f"[{number}]", "--tag", "t")
    file = tmp_path / "memory.jsonl"
    assert aos("memory", "export", "--scope", scope, "--file", str(file)).stdout == f"3 records written to {file}\n"
    assert aos("memory", "export", "--scope", scope).stdout == file.read_text()
    moved = file.read_text().replace(scope, f"{scope}-2")
    assert aos("memory", "import", "-", "--why", "moved", stdin=moved).stdout == "3 records written\n"
    assert (
        aos("memory", "import", "-", "--why", "moved", stdin=moved).stdout
        == "0 records written, 3 were there already\n"
    )
    found = [Record.model_validate(each) for each in aos.lines("memory", "ls", f"{scope}-2")]
    assert [(each.key, each.text, each.data, each.tags, each.why, each.version) for each in found] == [
        (f"k{number}", f"text {number}", [number], ["t"], "moved", 1) for number in range(3)
    ]


def test_an_import_of_which_a_line_does_not_fit_writes_nothing(aos: Command, scope: str) -> None:
    right = json.dumps({"scope": scope, "key": "a", "text": "x"})
    wrong = json.dumps({"scope": scope, "key": "b"})
    assert "line 2: it is no JSON" in aos("memory", "import", "-", stdin=f"{right}\n{{", code=2).stderr
    assert "neither `text` nor `data`" in aos("memory", "import", "-", stdin=f"{right}\n{wrong}", code=2).stderr
    assert aos.lines("memory", "ls", scope) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["put", "planet/mars", "a", "x"], "a scope is `org`"),
        (["put", "org", "../a", "x"], "key"),
        (["put", "org", "a"], "neither `text` nor `data`"),
        (["put", "org", "a", "x", "--data", "{a: "], "--data: "),
        (["put", "org", "a", "--file", "no/such/file"], "it cannot be read"),
        (["get", "org", "a", "--as-of", "yesterday"], "--as-of: 'yesterday' is no time such as"),
        (["search", ""], "text"),
        (["ls", "org", "--kind", "joke"], "kinds"),
        (["import", "no/such/file"], "it cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(aos: Command, words: list[str], problem: str) -> None:
    assert problem in aos("memory", *words, code=2).stderr


def test_a_memory_is_copied_into_another_store_and_what_came_since_later(
    aos: Command, tmp_path: Path, postgres: str
) -> None:
    there, database = str(tmp_path / "memory.db"), asyncio.run(fresh_database(postgres))
    asyncio.run(_write(there, "a", "b"))
    assert aos("memory", "copy", database, "--from", there).stdout == "2 transactions copied\n"
    asyncio.run(_write(there, "c"))
    assert aos.json("memory", "copy", database, "--from", there) == {"copied": 1}
    back = str(tmp_path / "back.db")
    assert aos("memory", "copy", back, "--from", database).stdout == "3 transactions copied\n"
    assert asyncio.run(_keys(back)) == ["a", "b", "c"]
    asyncio.run(_write(back, "d"))
    assert "not those of the source" in aos("memory", "copy", back, "--from", there, code=2).stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["copy", "new.db", "--from", "no/such/file.db"], "there is no memory in no/such/file.db"),
        (["copy", "mysql://host", "--from", "FILE"], "mysql is no address such as"),
        (["copy", "postgresql://127.0.0.1:1/aos", "--from", "FILE"], "the database is not reached"),
        (["copy", "TEXT", "--from", "FILE"], "the file cannot be used"),
    ],
)
def test_what_cannot_be_copied_is_said_in_a_line(aos: Command, tmp_path: Path, words: list[str], problem: str) -> None:
    asyncio.run(_write(str(tmp_path / "memory.db"), "a"))
    (tmp_path / "text").write_text("no database " * 1_000)
    places = {"FILE": str(tmp_path / "memory.db"), "TEXT": str(tmp_path / "text")}
    assert problem in aos("memory", *(places.get(word, word) for word in words), code=1).stderr


async def _write(path: str, *keys: str) -> None:
    memory = SqliteMemory(Path(path))
    for key in keys:
        await memory.commit(Transaction(id=key, writes=[Write(scope="org", key=key, text="x")]))
    await memory.aclose()


async def _keys(path: str) -> list[str]:
    memory = SqliteMemory(Path(path))
    records = await memory.page(Filter())
    await memory.aclose()
    return [record.key for record in records]
