"""`aos log`: what was said, whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from aos.cli.connecting import answered, connected, with_sign_of_life
from aos.cli.options import Name, Output, example
from aos.cli.output import emit, say
from aos.errors import InvalidInput

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.views import TranscriptLine, TranscriptPage

app = typer.Typer()

_EVERY = 0.5
_FIRST_LOOK = 20


@app.command(epilog=example("aos log ada -n 5", "aos log ada -f"))
def log(
    ctx: typer.Context,
    name: Name,
    count: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the newest items.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is said next, until Ctrl-C.")] = False,
    output: Output = "text",
) -> None:
    """Show what was said, done and answered."""
    if follow and output == "json":
        raise InvalidInput("--follow", ["it never ends, so it cannot be one JSON document; take -o jsonl"])
    with asyncio.Runner() as runner:
        client = connected(ctx, runner)
        if follow:
            answered(runner, lambda: _follow(client, name, count, output), name)
        page = answered(runner, lambda: with_sign_of_life(newest(client, name, count), "reading"), name)
        _show(name, page, output)
        if not page.lines and output == "text":
            say(f"nothing was said to {name} yet")


async def newest(client: AosClient, name: str, count: int) -> TranscriptPage:
    """Return the `count` newest items of a conversation, from as many pages as that takes."""
    from aos.views import TranscriptPage

    lines: list[TranscriptLine] = []
    more = True
    while more and len(lines) < count:
        page = await client.transcript(name, limit=count - len(lines), skip=len(lines))
        lines[:0] = page.lines
        more = page.more
    return TranscriptPage(lines=lines, more=more)


async def news_since(client: AosClient, name: str, shown: Sequence[TranscriptLine]) -> TranscriptPage:
    """Return what was said after `shown`, the newest items that a person has seen."""
    from aos.views import TranscriptPage

    count = _FIRST_LOOK
    while True:
        page = await newest(client, name, count)
        fresh = _after(shown, page.lines)
        if fresh is not None or not page.more:
            return TranscriptPage(lines=page.lines if fresh is None else fresh)
        count *= 2


def _after(shown: Sequence[TranscriptLine], lines: list[TranscriptLine]) -> list[TranscriptLine] | None:
    """Return those of `lines` that follow where they and the end of `shown` are the same, or None if nowhere."""
    for known in range(len(lines), 0, -1):
        overlap = min(known, len(shown))
        if overlap and lines[known - overlap : known] == list(shown[-overlap:]):
            return lines[known:]
    return None


async def _follow(client: AosClient, name: str, count: int, output: str) -> NoReturn:
    from aos.views import TranscriptPage

    head = (await client.recent(name)).head
    shown = (await newest(client, name, max(count, _FIRST_LOOK))).lines
    _show(name, TranscriptPage(lines=shown[len(shown) - count :] if count < len(shown) else shown), output)
    while True:
        await asyncio.sleep(_EVERY)
        now = (await client.recent(name)).head
        if now != head:
            head = now
            news = await news_since(client, name, shown)
            _show(name, news, output)
            shown = [*shown, *news.lines][-_FIRST_LOOK:]


def _show(name: str, page: TranscriptPage, output: str) -> None:
    def text() -> None:
        for line in page.lines:
            _show_line(name, line)

    emit(output, page, text, lines=page.lines)


def _show_line(name: str, line: TranscriptLine) -> None:
    match line.kind:
        case "user":
            say(f"{line.who or 'you'}> {line.text}")
        case "assistant":
            if line.text:
                say(f"{name}> {line.text}")
            for call in line.tool_calls:
                arguments = ", ".join(f"{key}={value!r}" for key, value in call.arguments.items())
                say(f"{name} calls {call.name}({arguments})")
        case "tool":
            say(f"{line.who}{' failed' if line.error else ''}> {line.text}")
        case kind:
            say(f"[{kind}] {line.text}")
