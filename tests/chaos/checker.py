"""The check, as Jepsen does it: what was acknowledged, invoked and done must fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chaos.effects import Effect
from chaos.journal import Entry


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was broken, about the message `text`."""

    kind: str
    text: str
    problem: str


def check(entries: Mapping[str, Entry], effects: Sequence[Effect], *, kind: str = "message") -> list[Breach]:
    """Return every promise that was broken.

    What is acknowledged has an effect. What has an effect was invoked, of that agent. No message has its effect under
    two keys; one that is written down twice under one key was repeated, which an idempotency key is for. The effects
    of one lane come in its order.
    """
    keys: dict[str, dict[str, str]] = {}
    for effect in effects:
        keys.setdefault(effect.text, {}).setdefault(effect.key, effect.agent)
    return [*_lost(entries, keys, kind), *_wrong(entries, keys, kind), *_reordered(entries, effects, kind)]


def _lost(entries: Mapping[str, Entry], keys: Mapping[str, object], kind: str) -> Iterable[Breach]:
    for text, entry in entries.items():
        if entry.acknowledged and text not in keys:
            yield Breach("lost", text, f"the {kind} was acknowledged and has no effect")


def _wrong(entries: Mapping[str, Entry], keys: Mapping[str, Mapping[str, str]], kind: str) -> Iterable[Breach]:
    for text, found in keys.items():
        if text not in entries:
            yield Breach("uninvoked", text, f"the {kind} has an effect, and nobody sent it")
        elif astray := {agent for agent in found.values() if agent != entries[text].agent}:
            yield Breach("astray", text, f"the {kind} for {entries[text].agent} had an effect with {sorted(astray)}")
        if len(found) > 1:
            yield Breach("twice", text, f"the {kind} had its effect under the keys {sorted(found)}")


def _reordered(entries: Mapping[str, Entry], effects: Sequence[Effect], kind: str) -> Iterable[Breach]:
    newest: dict[tuple[str, str], Entry] = {}
    for text in dict.fromkeys(effect.text for effect in effects):
        entry = entries.get(text)
        if entry is None or entry.lane is None:
            continue
        lane = (entry.agent, entry.lane)
        before = newest.get(lane)
        if before and before.place > entry.place:
            yield Breach("reordered", text, f"the {kind} had its effect after {before.text}, which was sent later")
        else:
            newest[lane] = entry


def told(
    breaches: Sequence[Breach], entries: Mapping[str, Entry], effects: Sequence[Effect], *, limit: int = 5
) -> list[str]:
    """Return the breaches in words; the first `limit` come with the history of their message."""
    lines = [f"{breach.kind}: {breach.text}: {breach.problem}" for breach in breaches[:50]]
    for breach in breaches[:limit]:
        entry = entries.get(breach.text)
        lines.append(f"history of {breach.text}, for {entry.agent if entry else 'nobody'}:")
        lines += [f"  {line}" for line in (entry.history if entry else [])]
        lines += [
            f"  effect {place} of {len(effects)}: {effect.agent} {effect.key}"
            for place, effect in enumerate(effects)
            if effect.text == breach.text
        ]
    return lines
