"""Topics: `aos topic ls`, `show`, `publish`, `subscribe`, `unsubscribe` and `stop`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from aos.cli.connecting import run
from aos.cli.messages import FileOption, IdOption, PriorityOption, SenderOption, Text, read_message, value_of
from aos.cli.options import Output, example
from aos.cli.output import console, emit, plain, say
from aos.cli.wording import age, counted
from aos.errors import AosError

if TYPE_CHECKING:
    from aos.client import AosClient
    from aos.topic import Subscription, TopicStatus

app = typer.Typer(
    name="topic",
    no_args_is_help=True,
    short_help="Publish on topics, and subscribe to them.",
    help="Topics: what is published on one goes to all who subscribed to it. The first who names one makes it.",
    epilog=example("aos topic subscribe ships ada", "aos topic publish ships 'The Corvina is in.'", "aos topic ls"),
)

Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="The topic's name.", show_default=False)]
Subscriber = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="An agent, team/NAME or topic/NAME.", show_default=False)
]

_PATIENCE = 5.0
_LISTED = 50
"""Subscribers that people are shown; programs get all."""


@app.command(epilog=example("aos topic ls", "aos topic ls -o jsonl"))
def ls(ctx: typer.Context, output: Output = "text") -> None:
    """List the topics that there are."""
    found = run(ctx, _look, doing="asking the topics")

    def text() -> None:
        from rich.table import Table

        columns = ("NAME", "CONDITION", "SUBSCRIBERS", "PUBLISHED", "DELIVERED", "WAITING", "DROPPED")
        table = Table(*columns, box=None, pad_edge=False)
        for status in found:
            numbers = (status.subscribers, status.published, status.delivered, status.waiting, status.dropped_count)
            table.add_row(status.name, status.condition, *map(str, numbers))
        console().print(table) if found else say("there is no topic; make one with: aos topic subscribe TOPIC ADDRESS")

    emit(output, found, text)


async def _look(client: AosClient) -> list[TopicStatus]:
    async def one(name: str) -> TopicStatus | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await client.topics.status(name)
        except (AosError, TimeoutError):
            return None

    found = await asyncio.gather(*map(one, await client.topics.names()))
    return [status for status in found if status]


@app.command(epilog=example("aos topic show ships"))
def show(ctx: typer.Context, name: Topic, output: Output = "text") -> None:
    """Show how a topic is, and who has subscribed."""

    async def work(client: AosClient) -> tuple[TopicStatus, list[Subscription]]:
        return await client.topics.status(name), await client.topics.subscribers(name)

    status, subscriptions = run(ctx, work, about=f"topic/{name}")
    shown = [one.model_dump(mode="json") for one in subscriptions]
    whole = {**status.model_dump(mode="json"), "subscriptions": shown}
    emit(output, whole, lambda: _show(status, subscriptions))


@app.command(
    epilog=example(
        "aos topic publish ships 'The Corvina is in.'",
        "aos topic publish ships 'A gale.' --priority 1 --data '{wind: {force: 9}}'",
    )
)
def publish(
    ctx: typer.Context,
    name: Topic,
    text: Text = None,
    file: FileOption = None,
    data: Annotated[str, typer.Option(help="What it carries besides, as JSON or YAML; filters look into it.")] = "",
    priority: PriorityOption = 3,
    message_id: IdOption = "",
    sender: SenderOption = "",
    output: Output = "text",
) -> None:
    """Tell everybody who has subscribed something, and do not wait."""
    parts = [{"type": "data", "data": value_of("--data", data)}] if data else None
    message = read_message(text, file, None, priority=priority, id=message_id, sender=sender, parts=parts)
    sent = run(ctx, lambda client: client.topics.publish(name, message), about=f"topic/{name}")
    emit(output, {"topic": name, "id": sent}, lambda: say(f"published on {name}: {sent}"))


@app.command(
    epilog=example(
        "aos topic subscribe ships ada",
        "aos topic subscribe ships team/news --filter '{type: text, contains: storm}'",
        "aos topic subscribe ships bob --filter '{type: equals, path: ship.name, value: Corvina}'",
    )
)
def subscribe(
    ctx: typer.Context,
    name: Topic,
    subscriber: Subscriber,
    filter: Annotated[str, typer.Option(help="What it wants, as YAML; see `aos schema subscription`.")] = "",
    output: Output = "text",
) -> None:
    """Have an agent, a team or a topic told what is published, or change what of it."""
    wanted = value_of("--filter", filter) if filter else None
    found = run(ctx, lambda client: client.topics.subscribe(name, subscriber, wanted), about=f"topic/{name}")
    some = ", where its filter holds" if found.filter else ""
    emit(output, found, lambda: say(f"{found.subscriber} is told what is published on {name}{some}"))


@app.command(epilog=example("aos topic unsubscribe ships ada"))
def unsubscribe(ctx: typer.Context, name: Topic, subscriber: Subscriber, output: Output = "text") -> None:
    """Have a subscriber told nothing more."""
    found = run(ctx, lambda client: client.topics.unsubscribe(name, subscriber), about=f"topic/{name}")
    emit(output, found, lambda: say(f"{found.subscriber} is told nothing more of {name}"))


@app.command(epilog=example("aos topic stop ships --reason 'The season is over.'"))
def stop(
    ctx: typer.Context,
    name: Topic,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "stopped on request",
    output: Output = "text",
) -> None:
    """End a topic once everybody has what was published, and forget its subscribers."""
    from aos.control import Stop
    from aos.reading import read_object

    how = read_object(Stop, "stop", {"reason": reason})
    farewell = run(ctx, lambda client: client.topics.stop(name, how), about=f"topic/{name}", doing=f"{name} ends")
    emit(output, farewell, lambda: say(f"{name} is stopped: {counted(farewell.published, 'publication')}"))


def _show(status: TopicStatus, subscriptions: list[Subscription]) -> None:
    from rich.table import Table

    say(f"{status.name} is {status.condition}; began {age(status.started)}")
    branches = f" in {len(status.branches)} branches" if status.branches else ""
    numbers = f"{status.published} published, {status.delivered} delivered, {status.waiting} on their way"
    say(f"{counted(status.subscribers, 'subscriber')}{branches}; {numbers}")
    if status.dead_letters:
        letters = counted(status.dead_letters, "dead letter")
        say(f"{letters}: see `aos dead-letters topic/{status.name}`")
    if subscriptions:
        table = Table("SUBSCRIBER", "FILTER", box=None, pad_edge=False)
        for one in subscriptions[:_LISTED]:
            table.add_row(one.subscriber, plain(one.filter.model_dump_json()) if one.filter else "")
        console().print(table)
    if len(subscriptions) > _LISTED:
        say(f"and {len(subscriptions) - _LISTED} more; -o json lists them all")
    for gone in status.dropped:
        say(f"dropped {age(gone.at)}: {gone.subscriber}, {gone.why}")
