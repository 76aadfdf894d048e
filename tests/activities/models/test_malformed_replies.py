"""Malformed answers over real HTTP: each is an answer or one typed error, and the answer after it is read."""

from __future__ import annotations

from collections import Counter
from types import ModuleType

import pytest

from aos.errors import RetryableModelError, TerminalModelError
from fuzzing.adapters import over_http
from fuzzing.cases import Cases
from fuzzing.replies import mutant
from wire import bedrock_converse, openai_chat
from wire.bench import Bench
from wire.script import Ramble, Received, Reply, Response, Say
from wire.server import ModelServer

WIRES: dict[str, ModuleType] = {"openai": openai_chat, "bedrock": bedrock_converse}


class Speaker:
    """Speaks a wire format, and in place of each `Ramble` gives what it was told to."""

    def __init__(self, wire: ModuleType) -> None:
        self._wire = wire
        self.given = Response(())

    def speak(self, received: Received, reply: Reply) -> Response:
        """Return the malformed answer, or a right one."""
        if isinstance(reply, Ramble):
            return self.given
        right: Response = self._wire.speak(received, reply)
        return right


@pytest.mark.timeout(300)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", WIRES)
async def test_after_a_malformed_answer_over_http_the_next_is_read(
    name: str, streamed: bool, seed: int, long_form: bool
) -> None:
    cases = Cases(seed, f"{name} over HTTP {'streamed' if streamed else 'whole'}")
    speaker = Speaker(WIRES[name])
    with ModelServer(speaker.speak) as server:
        provider, wire = over_http(name, server.url)
        bench = Bench(provider, server, wire, "m", streamed)
        for number in range(625 if long_form else 125):
            chance = cases.chance(number)
            wrong = mutant(chance, wire, stream=streamed)
            # An empty part would end a chunked answer, and what follows would be no HTTP.
            parts = tuple(part for part in wrong.parts if part)
            broken = chance.choice(("", "", "", "", "cut", "short" if wrong.chunked else ""))
            speaker.given = Response(parts, wrong.status, wrong.content_type, chunked=wrong.chunked, broken=broken)
            await cases.await_one(number, speaker.given, _answered(bench))
        await provider.aclose()
    cases.check()
    assert min(cases.outcomes[outcome] for outcome in ("read", "RetryableModelError")) > 10


async def _answered(bench: Bench) -> str:
    outcome = "read"
    bench.will(Ramble())
    try:
        await bench.ask()
    except (RetryableModelError, TerminalModelError) as error:
        outcome = type(error).__name__
    bench.will(Say(("Here.",)))
    assert (await bench.ask()).text == "Here."
    return outcome


_COUNTS = [b"9" * 5000, b"1e400", b"-1", b"1.5", b"NaN", b"null", b"[]", b'"many"', b"10000000000000000000000"]


@pytest.mark.timeout(5)
@pytest.mark.parametrize("count", _COUNTS, ids=lambda count: count.decode()[:10])
@pytest.mark.parametrize("name", WIRES)
async def test_a_count_of_tokens_that_can_be_none_is_an_answer_or_a_typed_error(name: str, count: bytes) -> None:
    speaker = Speaker(WIRES[name])
    with ModelServer(speaker.speak) as server:
        provider, wire = over_http(name, server.url)
        right = wire.speak(
            Received("/model/m/converse", {}, {}, {"messages": [{"role": "user", "content": [{"text": "x"}]}]}),
            Say(("Yes.",), input_tokens=77_777, output_tokens=3),
        )
        body = b"".join(right.parts)
        assert b"77777" in body
        speaker.given = Response((body.replace(b"77777", count),))
        bench = Bench(provider, server, wire, "m", False)
        bench.will(Ramble())
        told: Counter[str] = Counter()
        try:
            answer = await bench.ask()
        except RetryableModelError:
            told["refused"] += 1
        else:
            told["read"] += 1
            assert answer.text == "Yes."
            assert answer.usage.input_tokens <= 1
        assert told.total() == 1
        bench.will(Say(("Here.",)))
        assert (await bench.ask()).text == "Here."
        await provider.aclose()


@pytest.mark.parametrize("status", [404, 503])
async def test_an_error_whose_text_is_cut_off_is_tried_again(status: int) -> None:
    speaker = Speaker(openai_chat)
    with ModelServer(speaker.speak) as server:
        provider, wire = over_http("openai", server.url)
        bench = Bench(provider, server, wire, "m", streamed=True)
        speaker.given = Response((b"{", b"}"), status, chunked=True, broken="cut")
        bench.will(Ramble())
        with pytest.raises(RetryableModelError, match="the connection failed"):
            await bench.ask()
        await provider.aclose()
