"""Messages to many agents, steadily, with a ledger of what was acknowledged."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from aos.message import Message
from faults.site import Site

_ASK_EVERY = 5


class Load:
    """One sender for each agent, on the model `told:plain`: it sends, and asks with every fifth message."""

    def __init__(self, site: Site, names: Sequence[str], pause: float) -> None:
        self._site = site
        self._names = names
        self._pause = pause
        self._stop = asyncio.Event()
        self.acknowledged: dict[str, int] = dict.fromkeys(names, 0)
        """How many messages each agent has acknowledged."""

    async def run(self) -> None:
        """Send until `stop`."""
        await asyncio.gather(*(self._send(name) for name in self._names))

    def stop(self) -> None:
        """Have every sender end with the message that it is sending."""
        self._stop.set()

    async def _send(self, name: str) -> None:
        while not self._stop.is_set():
            number = self.acknowledged[name]
            message = Message(text=f"{name}:{number}", sender="load")
            if number % _ASK_EVERY:
                await self._site.client.send(name, message)
            else:
                reply = await self._site.client.ask(name, message)
                assert reply.text == f"done: {message.text}"
            self.acknowledged[name] += 1
            await asyncio.sleep(self._pause)

    async def goes_on(self, names: Sequence[str] = (), messages: int = 2) -> None:
        """Return once every agent has thought about so many more messages."""
        wanted = {name: count + messages for name, count in self._thoughts(names or self._names).items()}
        while not Counter(wanted) <= Counter(self._thoughts(wanted)):  # one look, which reads all that was ever told
            await asyncio.sleep(0.1)

    def _thoughts(self, names: Sequence[str] | dict[str, int]) -> dict[str, int]:
        counts = dict.fromkeys(names, 0)
        for _, text in self._site.outside.told("thought"):
            name = text.partition(":")[0]
            if name in counts:
                counts[name] += 1
        return counts

    def check(self) -> None:
        """Check that what was acknowledged was thought about once, and in its order."""
        keys: dict[str, set[str]] = defaultdict(set)
        order: dict[str, list[int]] = defaultdict(list)
        for key, text in self._site.outside.told("thought"):
            name, _, number = text.partition(":")
            if name in self.acknowledged and not keys[text]:
                order[name].append(int(number))
            keys[text].add(key)
        for name, count in self.acknowledged.items():
            assert order[name] == [*range(count)], f"each message to {name} is handled, in order"
        twice = [text for text, found in keys.items() if len(found) > 1]
        assert not twice, "no message is handled twice"


@asynccontextmanager
async def steady_load(site: Site, names: Sequence[str], pause: float) -> AsyncGenerator[Load]:
    """Send to agents until the block ends, then wait until all is handled, and check that nothing is lost."""
    load = Load(site, names, pause)
    running = asyncio.create_task(load.run())
    try:
        yield load
        load.stop()
        await running
        for name, count in load.acknowledged.items():
            await site.engine.until_handled(name, count)
        load.check()
    finally:
        running.cancel()
