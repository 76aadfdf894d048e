"""AutoGen's model clients, as names of models."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from aos.compat.autogen.loading import Config, Loading
from aos.limits import clip
from aos.reading import problems

ANY = "*"
"""In `models`: what stands for every model that is not named."""


@dataclass(frozen=True)
class Model:
    """A model and how it is asked. `name` is None where nothing stands for it: that was refused."""

    name: str | None
    temperature: float | None = None
    max_output_tokens: int | None = None


class _Client(Config):
    """What the clients have in common. What shapes how a model is reached is a setting of AOS's workers."""

    model: str = ""
    azure_deployment: str | None = None
    base_url: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None


_OF_THE_WORKERS = frozenset({
    "api_key", "azure_endpoint", "api_version", "azure_ad_token", "azure_ad_token_provider", "organization", "timeout",
    "max_retries", "default_headers", "bedrock_info", "host", "credential", "endpoint",
})  # fmt: skip
_OF_NO_ACCOUNT = frozenset({
    "model_info", "model_capabilities", "add_name_prefixes", "include_name_in_message", "parallel_tool_calls", "stream",
    "stream_options", "chat_completions", "user",
})  # fmt: skip

_PREFIX = {
    "OpenAIChatCompletionClient": "openai",
    "AzureOpenAIChatCompletionClient": "azure-openai",
    "AnthropicBedrockChatCompletionClient": "bedrock",
}
_SETTING = {"openai": "OPENAI_API_KEY", "azure-openai": "AZURE_OPENAI_API_KEY", "bedrock": "AWS credentials"}


def read_model(loading: Loading, given: object, place: str) -> Model:
    """Return the model that a client calls; what cannot be one is refused."""
    component = loading.parse(given, place)
    if component is None:
        return Model(None)
    if component.kind == "ChatCompletionCache":
        loading.note(place, "the cache of answers is left out; the model itself is called")
        return read_model(loading, component.config.get("client"), f"{place}.config.client")
    kind = component.kind
    try:
        client = _Client.model_validate(component.config)
    except ValidationError as error:
        for problem in problems(_Client, error):
            loading.refuse(f"{place}.config", problem)
        return Model(None)
    _tell(loading, client, kind, f"{place}.config")
    return Model(_name(loading, client, kind, place), client.temperature, client.max_tokens)


def _name(loading: Loading, client: _Client, kind: str, place: str) -> str | None:
    for key in (client.model, kind, ANY):
        if key and key in loading.models:
            return loading.models[key]
    prefix = _PREFIX.get(kind)
    if prefix and client.base_url:
        wanted = f"{prefix}'s protocol at {clip(client.base_url)}"
        loading.refuse(place, f"{wanted} is a provider of yours: {_way_out(client.model)}")
        return None
    called = client.azure_deployment or client.model if prefix == "azure-openai" else client.model
    if not prefix or not called:
        loading.refuse(place, f"{clip(kind)} is no model of AOS: {_way_out(client.model or kind)}")
        return None
    return f"{prefix}:{called}"


def _way_out(model: str) -> str:
    named = clip(model) or "the model"
    return (
        f"name an endpoint in aos.toml and load with models={{{named!r}: 'local:{named}'}}, "
        f"or load with models={{{ANY!r}: 'openai:gpt-4o-mini'}}, or another that the workers have"
    )


def _tell(loading: Loading, client: _Client, kind: str, place: str) -> None:
    given = {name for name, value in (client.model_extra or {}).items() if value is not None}
    # AutoGen writes asterisks in the place of a key, unless somebody has put it there by hand.
    if str((client.model_extra or {}).get("api_key") or "").strip("*"):
        setting = _SETTING.get(_PREFIX.get(kind, ""), "a setting")
        loading.note(f"{place}.api_key", f"a key is no part of a spec: {setting} of the workers holds it")
    for name in sorted(given - _OF_THE_WORKERS - _OF_NO_ACCOUNT):
        loading.note(f"{place}.{clip(name)}", "is left out; AOS sets temperature and max_output_tokens")
