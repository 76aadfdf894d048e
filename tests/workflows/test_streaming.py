from itertools import pairwise
from pathlib import Path

from aos.message import Reply
from aos.streaming import PartialReply
from aos_activities.models.offline import OfflineProvider
from engine.engine import running_engine
from engine.server import running_server


async def test_a_reply_is_heard_while_it_is_written_and_adds_nothing_to_history(
    tmp_path: Path,
) -> None:
    # On a server of its own: the workers that the other tests share have no model that takes its time.
    async with (
        running_server(tmp_path) as temporal,
        running_engine(temporal.client, tmp_path, OfflineProvider(pause=0.05)) as engine,
    ):
        name = engine.name()
        await engine.client.start({"name": name, "model": "offline:extractive"})
        await engine.client.ask(name, "Note: the harbour has a long pier with a green lamp and eleven benches.")
        before = len(await engine.events(name))
        parts = [part async for part in engine.client.ask_streaming(name, "Summarise what I told you.")]
        streamed = len(await engine.events(name)) - before
        await engine.client.ask(name, "Summarise what I told you.")
        plain = len(await engine.events(name)) - before - streamed
    *heard, reply = parts
    assert isinstance(reply, Reply)
    texts = [part.text for part in heard if isinstance(part, PartialReply)]
    assert len(texts) == len(heard) >= 3
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert reply.text.startswith(texts[0].strip())
    assert streamed == plain
