"""The providers that a worker has, and why it lacks the others."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from aos.errors import TerminalModelError
from aos.provider import ModelProvider


def split_model(name: str) -> tuple[str, str]:
    """Return the provider and the model in `provider:model`."""
    provider, _, model = name.partition(":")
    return provider, model or "extractive"


class ProviderRegistry:
    """Finds the provider of a `provider:model`.

    Args:
        providers: Those that are set up on this worker, by name.
        default: Models, in order of preference, of an agent that names none.
        remedies: For providers that AOS knows and that are not set up here, what would set them up.
    """

    def __init__(
        self, providers: Sequence[ModelProvider], default: Sequence[str], remedies: Mapping[str, str] | None = None
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._default = tuple(default)
        self._remedies = dict(remedies or {})

    @property
    def default(self) -> tuple[str, ...]:
        """Models of an agent that names none."""
        return self._default

    def find(self, name: str) -> tuple[ModelProvider, str]:
        """Return the provider of `name`, and the provider's own name for the model.

        Raises:
            TerminalModelError: This worker has no such provider.
        """
        provider, model = split_model(name)
        if found := self._providers.get(provider):
            return found, model
        if remedy := self._remedies.get(provider):
            raise TerminalModelError(provider, model, "the provider is not set up on this worker", remedy)
        known = sorted({*self._providers, *self._remedies})
        close = difflib.get_close_matches(provider, known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise TerminalModelError(provider, model, "there is no such provider", f"{hint}known: {', '.join(known)}")

    async def aclose(self) -> None:
        """Close every provider."""
        for provider in self._providers.values():
            await provider.aclose()
