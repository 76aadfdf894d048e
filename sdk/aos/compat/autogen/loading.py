"""What is kept while a component is loaded: what the caller gave, and what was found wrong or was left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aos.errors import InvalidInput
from aos.limits import clip
from aos.reading import problems

C = TypeVar("C", bound="Config")

Json = dict[str, Any]
"""A spec of AOS as it stands in a file, before it is checked."""


class NotData(InvalidInput):
    """A component that cannot be loaded. Every place that is in the way is named, with what replaces it."""


class LeftOut(UserWarning):
    """Something in a component that AOS does not do, or does in another way; the rest was loaded."""


class Config(BaseModel):
    """Base of the `config`s of AutoGen's components. What this version does not know is kept apart and told."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Component(BaseModel):
    """One component: `provider` is the class in AutoGen, `config` what it is made from."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    provider: str
    component_version: int | None = None
    version: int | None = None
    config: Json = Field(default_factory=dict[str, Any])

    @property
    def kind(self) -> str:
        """The name of the class, without its package."""
        return self.provider.rpartition(".")[2]


@dataclass
class Loading:
    """One load. `tools`, `members` and `models` say what stands in AOS for what is code or a person in AutoGen."""

    tools: Mapping[str, str]
    members: Mapping[str, str]
    models: Mapping[str, str]
    problems: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    def refuse(self, place: str, text: str) -> None:
        """Something is in the way. What else is wrong is looked for all the same."""
        self.problems.append(f"{place}: {text}")

    def note(self, place: str, text: str) -> None:
        """Something is left out, or is done in another way."""
        self.notes.append(f"{place}: {text}")

    def parse(self, given: object, place: str) -> Component | None:
        """Return the component in `given`, whatever its class, or None where it is no component."""
        try:
            read = Component.model_validate(given)
        except ValidationError as error:
            self._refuse_all(place, problems(Component, error))
            return None
        return read.model_copy(update={"provider": _SHORT.get(read.provider, read.provider)})

    def component(self, given: object, place: str, known: Collection[str], what: str) -> Component | None:
        """Return the component in `given`, or None where it is none of AutoGen's own classes in `known`."""
        read = self.parse(given, place)
        if read is None:
            return None
        if not read.provider.startswith(_PACKAGES) or read.kind not in known:
            self.refuse(place, f"{clip(read.provider)} is {what}; those that can are {', '.join(sorted(known))}")
            return None
        return read

    def config(self, model: type[C], component: Component, place: str) -> C | None:
        """Return the `config` of a component, or None where it does not fit."""
        inside = f"{place}.config"
        try:
            read = model.model_validate(component.config)
        except ValidationError as error:
            self._refuse_all(inside, problems(model, error))
            return None
        for name, value in (read.model_extra or {}).items():
            if value is not None:
                self.note(f"{inside}.{clip(name)}", "is not known here and is left out")
        return read

    def _refuse_all(self, place: str, found: list[str]) -> None:
        for problem in found:
            self.refuse(place, problem)


_PACKAGES = ("autogen_agentchat.", "autogen_core.", "autogen_ext.")

_SHORT = {
    "openai_chat_completion_client": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "OpenAIChatCompletionClient": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "azure_openai_chat_completion_client": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "AzureOpenAIChatCompletionClient": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "OllamaChatCompletionClient": "autogen_ext.models.ollama.OllamaChatCompletionClient",
}
"""Names that AutoGen takes for a provider besides the name of its class."""
