"""AutoGen's termination conditions, as conditions of AOS."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aos.compat.autogen.loading import Component, Config, Json, Loading
from aos.limits import clip


class _Combined(Config):
    conditions: list[object]


class _MaxMessages(Config):
    max_messages: int
    include_agent_event: bool = False


class _Text(Config):
    text: str


class _Tokens(Config):
    max_total_token: int | None = None
    max_prompt_token: int | None = None
    max_completion_token: int | None = None


class _Timeout(Config):
    timeout_seconds: float


class _Target(Config):
    target: str


class _Sources(Config):
    sources: list[str]


class _Source(Config):
    source: str | None = None


class _Called(Config):
    function_name: str


class _Nothing(Config):
    pass


def read_condition(loading: Loading, given: object, place: str) -> Json | None:
    """Return a condition as it stands in a team's file; what cannot be one is refused."""
    component = loading.parse(given, place)
    if component is None:
        return None
    for name in (component.provider, component.kind):
        if name in loading.tools:
            return {"type": "function", "tool": loading.tools[name]}
    if not component.provider.startswith("autogen_") or component.kind not in KNOWN:
        loading.refuse(
            place,
            f"{clip(component.provider)} is code: make it a tool of an App that takes `messages` and answers true at "
            f"the end, and load with tools={{{clip(component.kind)!r}: 'app/tool'}}",
        )
        return None
    if component.kind in _COMBINED:
        return _combined(loading, component, place)
    model, build = _LEAVES[component.kind]
    config = loading.config(model, component, place)
    return None if config is None else build(loading, config, f"{place}.config")


def leaves(condition: Json | None) -> Iterator[Json]:
    """Yield the conditions that an expression is made of."""
    if condition and "of" in condition:
        for part in condition["of"]:
            yield from leaves(part)
    elif condition:
        yield condition


def _combined(loading: Loading, component: Component, place: str) -> Json | None:
    config = loading.config(_Combined, component, place)
    if config is None:
        return None
    type_ = _COMBINED[component.kind]
    parts: list[Json] = []
    for number, given in enumerate(config.conditions):
        part = read_condition(loading, given, f"{place}.config.conditions[{number}]")
        if part and part["type"] == type_:
            parts += part["of"]  # `a | b | c` is made of two in AutoGen, and is one here.
        elif part:
            parts.append(part)
    return {"type": type_, "of": parts}


def _max_messages(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _MaxMessages)
    if config.include_agent_event:
        loading.note(f"{place}.include_agent_event", "calls of tools are no messages in AOS and are not counted")
    return {"type": "max_messages", "count": config.max_messages}


def _text(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _Text)
    return {"type": "text_mention", "text": config.text}


def _tokens(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _Tokens)
    limits = {
        "total": config.max_total_token,
        "input": config.max_prompt_token,
        "output": config.max_completion_token,
    }
    return {"type": "token_usage", **{name: most for name, most in limits.items() if most is not None}}


def _timeout(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _Timeout)
    return {"type": "timeout", "after": config.timeout_seconds}


def _target(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _Target)
    return {"type": "handoff", "target": config.target}


def _sources(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _Sources)
    return {"type": "source", "sources": config.sources}


def _source(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _Source)
    if config.source:
        return {"type": "text_message", "source": config.source}
    loading.note(place, "AutoGen ends with the task itself, which is a text too; AOS with what a member answers first")
    return {"type": "text_message"}


def _called(loading: Loading, config: Config, place: str) -> Json:
    assert isinstance(config, _Called)
    return {"type": "function_call", "function": loading.tools.get(config.function_name, config.function_name)}


def _stop(loading: Loading, config: Config, place: str) -> Json:
    return {"type": "stop_message"}


def _external(loading: Loading, config: Config, place: str) -> Json:
    return {"type": "external"}


_COMBINED = {"OrTerminationCondition": "any", "AndTerminationCondition": "all"}
_LEAVES: dict[str, tuple[type[Config], Callable[[Loading, Config, str], Json]]] = {
    "MaxMessageTermination": (_MaxMessages, _max_messages),
    "TextMentionTermination": (_Text, _text),
    "TokenUsageTermination": (_Tokens, _tokens),
    "TimeoutTermination": (_Timeout, _timeout),
    "HandoffTermination": (_Target, _target),
    "SourceMatchTermination": (_Sources, _sources),
    "TextMessageTermination": (_Source, _source),
    "FunctionCallTermination": (_Called, _called),
    "StopMessageTermination": (_Nothing, _stop),
    "ExternalTermination": (_Nothing, _external),
}
KNOWN = frozenset({*_COMBINED, *_LEAVES})
