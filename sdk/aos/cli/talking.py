"""Talking to agents and teams: `send`, `ask` and `event`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aos.cli.connecting import run
from aos.cli.messages import (
    FileOption,
    IdOption,
    ImageOption,
    ModeOption,
    PriorityOption,
    SenderOption,
    Text,
    read_message,
    read_text,
)
from aos.cli.options import Name, Output, Who, WhoAnswers, example
from aos.cli.output import complain, emit, say
from aos.errors import InvalidInput

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.message import Message, Reply

app = typer.Typer()


@app.command(epilog=example("aos send ada 'The tide is out.'", "git log -5 | aos send team/news - --priority 5"))
def send(
    ctx: typer.Context,
    name: Who,
    text: Text = None,
    file: FileOption = None,
    mode: ModeOption = "queue",
    priority: PriorityOption = 3,
    message_id: IdOption = "",
    sender: SenderOption = "",
    no_wake: Annotated[bool, typer.Option("--no-wake", help="Let it wait for a message that wakes.")] = False,
    image: ImageOption = None,
    output: Output = "text",
) -> None:
    """Tell an agent or a team something, and do not wait."""
    message = read_message(
        text, file, image, mode=mode, priority=priority, id=message_id, sender=sender, wake=not no_wake
    )
    sent, confirmed = run(ctx, lambda client: _send(client, name, message), about=name, doing=f"telling {name}")
    emit(output, {"name": name, "id": sent}, lambda: say(f"{name} has the message {sent}"))
    if not confirmed:
        complain("the message waits, for nobody has looked at it yet: no worker may be running, see `aos doctor`")


async def _send(client: AosClient, name: str, message: Message) -> tuple[str, bool]:
    """Return the message's id, and whether the recipient says that it has it."""
    from aos.errors import NotAnswering

    try:
        return await client.send(name, message, confirm=True), True
    except NotAnswering as error:
        return error.message_id, False


@app.command(
    epilog=example(
        "aos ask ada 'What did you see?'",
        "aos ask team/news 'Write about the harbour.' --id harbour-1",
        "aos ask ada --file report.md --timeout 2m -o json",
    )
)
def ask(
    ctx: typer.Context,
    name: WhoAnswers,
    text: Text = None,
    file: FileOption = None,
    mode: ModeOption = "queue",
    priority: PriorityOption = 3,
    message_id: IdOption = "",
    sender: SenderOption = "",
    image: ImageOption = None,
    schema: Annotated[Path | None, typer.Option(help="File with the JSON schema that the reply must fit.")] = None,
    timeout: Annotated[str, typer.Option(help="Wait this long at most, such as 90s or 5m; the message stays.")] = "",
    output: Output = "text",
) -> None:
    """Ask an agent or a team something, and write the reply."""
    message = read_message(
        text,
        file,
        image,
        mode=mode,
        priority=priority,
        id=message_id,
        sender=sender,
        output_schema=_json(str(schema), read_text(schema)) if schema else None,
    )
    limit = _seconds(timeout)

    async def work(client: AosClient) -> tuple[Reply, str]:
        reply = await client.ask(name, message, timeout=limit)
        whole = await client.text(reply.ref) if reply.ref and output == "text" else reply.text
        return reply, whole

    reply, whole = run(ctx, work, about=name, doing=f"{name} is thinking")
    emit(output, reply, lambda: say(whole))
    if reply.status == "interrupted":
        complain(f"{name} was interrupted: {reply.error}")
        raise typer.Exit(1)


@app.command(epilog=example("""aos event ada order.paid --data '{"order": 7}' --id order-7-paid"""))
def event(
    ctx: typer.Context,
    name: Name,
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="Type of the event, as in CloudEvents.")],
    data: Annotated[str, typer.Option(help="What it carries, as JSON.")] = "null",
    source: Annotated[str, typer.Option(help="Where it happened.")] = "",
    event_id: Annotated[str, typer.Option("--id", help="Id of the event: the same id counts once.")] = "",
    output: Output = "text",
) -> None:
    """Tell an agent of an outside event.

    Its triggers say whether that wakes it; an event that no trigger wants is among its dead letters.
    """
    from aos.message import Event
    from aos.reading import read_object

    told = read_object(
        Event, "event", {"type": event_type, "source": source, "id": event_id, "data": _json("--data", data)}
    )
    run(ctx, lambda client: client.tell_event(name, told), about=name)
    emit(output, told, lambda: say(f"{name} has the event {event_type}"))


def _json(what: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(what, [f"it is not valid JSON: {error}"]) from None


def _seconds(text: str) -> float | None:
    if not text:
        return None
    from aos.duration import seconds

    try:
        return float(str(seconds(text)))
    except ValueError as error:
        raise InvalidInput("--timeout", [str(error)]) from None
