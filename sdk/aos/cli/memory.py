"""Shared memory: `aos memory ls`, `get`, `put`, `forget`, `search`, `history`, `log`, `compact`, `export`, `import`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aos.cli.connecting import run
from aos.cli.messages import FileOption, Text, read_text, value_of
from aos.cli.options import Output, example
from aos.cli.output import console, emit, plain, say
from aos.cli.wording import age, counted
from aos.errors import InvalidInput

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.memory import LogEntry, Record
    from aos.memory_compaction import Dropped

app = typer.Typer(
    name="memory",
    no_args_is_help=True,
    short_help="Read, search and write what agents know together.",
    help="Shared memory: records with a key in a scope. SCOPE is org, team/NAME, team/NAME#TASK, or an agent's name.",
    epilog=example(
        "aos memory put org motto 'Nothing is lost.'", "aos memory search 'what gets lost'", "aos memory ls org"
    ),
)

Kind = Literal["fact", "episode", "procedure", "block"]
Scope = Annotated[
    str, typer.Argument(metavar="SCOPE", help="org, team/NAME, team/NAME#TASK, or an agent's name.", show_default=False)
]
Key = Annotated[
    str, typer.Argument(metavar="KEY", help="The record's name, such as customers/acme.", show_default=False)
]
KindsOption = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Only of this kind: fact, episode, procedure or block; may be given again."),
]
TagsOption = Annotated[list[str] | None, typer.Option("--tag", help="Only with this tag; may be given again.")]
ScopesOption = Annotated[list[str] | None, typer.Option("--scope", help="Only in this scope; may be given again.")]
ByOption = Annotated[str, typer.Option("--by", help="Who writes, for the log.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the log.")]
ExpectedOption = Annotated[
    int | None,
    typer.Option("--expected", min=0, help="Write only if the record has this version; 0: only if there is none."),
]

_EXCERPT = 300
_IMPORTED_AT_ONCE = 50


@app.command(epilog=example("aos memory ls", "aos memory ls org --kind block", "aos memory ls team/sales -o jsonl"))
def ls(
    ctx: typer.Context,
    scope: Annotated[
        str | None, typer.Argument(metavar="SCOPE", help="Of this scope only.", show_default=False)
    ] = None,
    kind: KindsOption = None,
    tag: TagsOption = None,
    prefix: Annotated[str, typer.Option(help="Only keys that begin so.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000,
    output: Output = "text",
) -> None:
    """List the records that there are, by scope and key."""
    wanted = {"scopes": [scope] if scope else [], "kinds": kind or [], "tags": tag or [], "prefix": prefix}

    async def work(client: AosClient) -> list[Record]:
        found: list[Record] = []
        async for record in client.memory.records(wanted):
            if len(found) >= limit:
                break
            found.append(record)
        return found

    found = run(ctx, work, doing="reading memory")
    emit(output, found, lambda: _table(found) if found else say("there is nothing; `aos memory put` writes something"))


@app.command(epilog=example("aos memory get org motto", "aos memory get ada customers/acme --as-of 2026-11-01"))
def get(
    ctx: typer.Context,
    scope: Scope,
    key: Key,
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="TIME", help="As it was then, as 2026-11-01 or 2026-11-01T12:00Z.")
    ] = "",
    output: Output = "text",
) -> None:
    """Show a record, as it is or as it was at a time."""
    when = _moment(as_of)
    record = run(ctx, lambda client: client.memory.get(scope, key, when))
    if record is None:
        then = f" at {as_of}" if as_of else ""
        raise InvalidInput(
            "memory", [f"there is no {key!r} in {scope}{then}; `aos memory ls {scope}` lists what there is"]
        )
    emit(output, record, lambda: _show([record]))


@app.command(
    epilog=example(
        "aos memory put org motto 'Nothing is lost.' --kind block",
        "aos memory put team/sales customers/acme --data '{days: 40}' --tag payment --why 'the invoice of May'",
        "aos memory put org motto 'Nothing is lost, ever.' --expected 1",
    )
)
def put(
    ctx: typer.Context,
    scope: Scope,
    key: Key,
    text: Text = None,
    file: FileOption = None,
    data: Annotated[str, typer.Option(help="What it says as data, as JSON or YAML.")] = "",
    kind: Annotated[Kind, typer.Option(help="What it is; a block stands in prompts.")] = "fact",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="By which it may be found; may be given again.")
    ] = None,
    expected: ExpectedOption = None,
    by: ByOption = "",
    why: WhyOption = "",
    output: Output = "text",
) -> None:
    """Write a record. The versions before it are kept."""
    said = read_text(file) if file else sys.stdin.read() if text == "-" else text or ""
    value = value_of("--data", data) if data else None

    async def work(client: AosClient) -> int:
        return await client.memory.put(
            scope, key, said, data=value, kind=kind, tags=tag or [], expected=expected, by=by, why=why
        )

    version = run(ctx, work)
    written = {"scope": scope, "key": key, "version": version}
    emit(output, written, lambda: say(f"{key} in {scope} has version {version} now"))


@app.command(epilog=example("aos memory forget org motto --why 'there is a better one'"))
def forget(
    ctx: typer.Context,
    scope: Scope,
    key: Key,
    expected: ExpectedOption = None,
    by: ByOption = "",
    why: WhyOption = "",
    output: Output = "text",
) -> None:
    """Have a record be no more. Its versions are kept."""
    version = run(ctx, lambda client: client.memory.forget(scope, key, expected=expected, by=by, why=why))
    written = {"scope": scope, "key": key, "version": version}
    emit(output, written, lambda: say(f"{key} in {scope} is no more; `aos memory history` has what it was"))


@app.command(
    epilog=example("aos memory search 'who pays late'", "aos memory search storm --scope team/news --tag coast")
)
def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.", show_default=False)],
    scope: ScopesOption = None,
    kind: KindsOption = None,
    tag: TagsOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
    output: Output = "text",
) -> None:
    """Find records that have the words of a text, or are near it in meaning, the best first."""
    wanted = {"text": text, "scopes": scope or [], "kinds": kind or [], "tags": tag or [], "limit": limit}
    found = run(ctx, lambda client: client.memory.search(wanted), doing="searching memory")
    records = [each.record for each in found]
    emit(output, found, lambda: _show(records, _EXCERPT) if records else say("nothing was found"))


@app.command(epilog=example("aos memory compact --dry-run", "aos memory compact --scope ada --episodes 100"))
def compact(
    ctx: typer.Context,
    scope: ScopesOption = None,
    episodes: Annotated[
        int | None, typer.Option(min=0, help="Keep so many episodes of each scope, the newest. Default: all.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be forgotten, and forget nothing.")
    ] = False,
    by: ByOption = "",
    output: Output = "text",
) -> None:
    """Forget what is no longer so, what stands there twice, and old episodes. The versions are kept.

    What is no longer so has a time until which it was. Of what stands in a scope twice the newest stays.
    """

    async def work(client: AosClient) -> list[Dropped]:
        return await client.memory.compact({"scopes": scope or []}, episodes=episodes, dry_run=dry_run, by=by)

    def text() -> None:
        for each in dropped:
            say(f"{each.key} in {each.scope}: {_reason(each)}")
        say(f"{counted(len(dropped), 'record')} {'would be ' if dry_run else ''}forgotten")

    dropped = run(ctx, work, doing="looking through memory")
    emit(output, [asdict(each) for each in dropped], text)


@app.command(epilog=example("aos memory history org motto"))
def history(ctx: typer.Context, scope: Scope, key: Key, output: Output = "text") -> None:
    """Show all versions of a record, the newest first."""

    async def work(client: AosClient) -> list[Record]:
        return [record async for record in client.memory.versions(scope, key)]

    found = run(ctx, work, doing="reading memory")
    emit(output, found, lambda: _show(found, _EXCERPT) if found else say(f"there never was a {key!r} in {scope}"))


@app.command(epilog=example("aos memory log", "aos memory log --after 1200 -o jsonl"))
def log(
    ctx: typer.Context,
    after: Annotated[int, typer.Option(min=0, help="Only transactions after this number.")] = 0,
    output: Output = "text",
) -> None:
    """Show who changed what and why, transaction by transaction."""

    async def work(client: AosClient) -> list[LogEntry]:
        return [entry async for entry in client.memory.log(after)]

    def text() -> None:
        for entry in found:
            changed = ", ".join(f"{change.key} in {change.scope} v{change.version}" for change in entry.changed)
            why = f" ({entry.why})" if entry.why else ""
            say(f"{entry.number}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.by or '-'}  {changed}{why}")

    found = run(ctx, work, doing="reading the log")
    emit(output, found, text)


@app.command(
    epilog=example("aos memory export > memory.jsonl", "aos memory export --scope team/sales --file sales.jsonl")
)
def export(
    ctx: typer.Context,
    scope: ScopesOption = None,
    file: Annotated[Path | None, typer.Option("--file", help="Write into this file.")] = None,
) -> None:
    """Write the records that there are as JSON, one a line, for `aos memory import`."""

    async def work(client: AosClient) -> list[str]:
        return [_line(record) async for record in client.memory.records({"scopes": scope or []})]

    lines = run(ctx, work, doing="reading memory")
    if file is None:
        for line in lines:
            typer.echo(line)
        return
    try:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise InvalidInput(str(file), [f"it cannot be written: {error.strerror or error}"]) from None
    say(f"{counted(len(lines), 'record')} written to {file}")


@app.command("import", epilog=example("aos memory import memory.jsonl", "aos memory import - --why 'moved' < a.jsonl"))
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON, a record a line; - is standard input.")],
    by: ByOption = "",
    why: WhyOption = "",
    output: Output = "text",
) -> None:
    """Write records from a file. The same file written again changes nothing more."""
    from aos.memory import Transaction
    from aos.reading import read_object

    writes = _writes(file, sys.stdin.read() if file == "-" else read_text(Path(file)))
    batches = [writes[first : first + _IMPORTED_AT_ONCE] for first in range(0, len(writes), _IMPORTED_AT_ONCE)]
    # All are read before the first is written: one that does not fit leaves memory as it was.
    transactions = [
        read_object(Transaction, file, {"id": _id(batch, by, why), "by": by, "why": why, "writes": batch})
        for batch in batches
    ]

    async def work(client: AosClient) -> int:
        written = 0
        for transaction in transactions:
            committed = await client.memory.commit(transaction)
            written += 0 if committed.repeated else len(transaction.writes)
        return written

    written = run(ctx, work, doing="writing memory")
    known = f", {len(writes) - written} were there already" if written < len(writes) else ""
    emit(output, {"read": len(writes), "written": written}, lambda: say(f"{counted(written, 'record')} written{known}"))


@app.command(
    epilog=example(
        "aos memory copy postgresql://aos@db.example.org/aos",
        "aos memory copy backup.db --from postgresql://aos@db.example.org/aos",
    )
)
def copy(
    to: Annotated[str, typer.Argument(metavar="TO", help="A file, or a Postgres database.", show_default=False)],
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="FROM", help="The same. Default: the memory of AOS_MEMORY_URL, or of the home."),
    ] = None,
    output: Output = "text",
) -> None:
    """Copy a memory with all its versions from one store to another, on the machine that reaches both.

    Broken off, it may be begun again and goes on where it was. Then have the workers use it by AOS_MEMORY_URL. A
    password is best left to PGPASSWORD or ~/.pgpass.
    """
    import asyncio

    from aos_workers.copying import copy_between

    def told(number: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{number:,} transactions", nl=False, err=True)

    copied = asyncio.run(copy_between(origin, to, told))
    emit(output, {"copied": copied}, lambda: say(f"{counted(copied, 'transaction')} copied"))


def _reason(dropped: Dropped) -> str:
    match dropped.reason:
        case "over":
            return "it is no longer so"
        case "twice":
            return f"{dropped.like} says the same"
        case "old":
            return "there are enough newer episodes"


def _id(batch: Sequence[object], by: str, why: str) -> str:
    import hashlib

    return "import/" + hashlib.sha256(json.dumps([batch, by, why], sort_keys=True).encode()).hexdigest()[:32]


def _line(record: Record) -> str:
    fields = {"scope", "key", "text", "data", "kind", "tags", "valid_from", "valid_to"}
    return record.model_dump_json(include=fields)


def _writes(file: str, text: str) -> list[Any]:
    writes: list[Any] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                writes.append(json.loads(line))
            except ValueError as error:
                raise InvalidInput(file, [f"line {number}: it is no JSON: {error}"]) from None
    return writes


def _moment(text: str) -> datetime | None:
    """Return a time; one without a zone is this machine's."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise InvalidInput("--as-of", [f"{text!r} is no time such as 2026-11-01 or 2026-11-01T12:00Z"]) from None


def _table(records: Sequence[Record]) -> None:
    from rich.table import Table

    table = Table("SCOPE", "KEY", "VERSION", "KIND", "WRITTEN", "TEXT", box=None, pad_edge=False)
    for record in records:
        row = (record.scope, record.key, str(record.version), record.kind, age(record.at), _text(record, 60))
        table.add_row(*map(plain, row))
    console().print(table)


def _show(records: Iterable[Record], limit: int = 0) -> None:
    for record in records:
        tags = f"  tags: {', '.join(record.tags)}" if record.tags else ""
        by = f" by {record.by}" if record.by else ""
        why = f" ({record.why})" if record.why else ""
        say(f"{record.scope}  {record.key}  version {record.version}  {record.kind}{tags}")
        say(f"written {age(record.at)}{by}{why}")
        say("forgotten" if record.forgotten else _text(record, limit))
        say("")


def _text(record: Record, limit: int) -> str:
    from aos.limits import clip

    data = "" if record.data is None else json.dumps(record.data, ensure_ascii=False)
    whole = "\n".join(part for part in (record.text, data) if part)
    return clip(whole, limit) if limit else whole
