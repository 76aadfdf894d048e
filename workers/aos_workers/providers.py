"""The model providers that the settings allow for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aos.provider import ModelProvider
from aos_activities.models.offline import OfflineProvider
from aos_activities.models.prices import warm
from aos_activities.models.registry import ProviderRegistry
from aos_workers.settings import Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

# The client libraries of models are the larger part of what a worker imports, so each is loaded only where it is set
# up: a worker that was killed is back in half the time.

_REMEDIES = {
    "openai": "set OPENAI_API_KEY for the workers",
    "azure-openai": "set AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_MODEL for the workers",
    "bedrock": "give the workers AWS credentials and AWS_REGION",
}


def make_registry(settings: Settings) -> ProviderRegistry:
    """Return the providers that are set up, and a default among them.

    The default is what `AOS_MODEL` names, else the first of OpenAI, Azure OpenAI and Bedrock that has
    credentials, else the offline model.
    """
    providers: list[ModelProvider] = [OfflineProvider(pause=settings.offline_pause)]
    default: list[str] = []
    if not settings.offline:
        for name, provider in _remote(settings):
            providers.append(provider)
            if name:
                default.append(name)
        if default:
            warm()
    chosen = settings.model if settings.model and not settings.offline else default[:1]
    return ProviderRegistry(providers, chosen or ["offline:extractive"], _REMEDIES)


def _remote(settings: Settings) -> Iterable[tuple[str, ModelProvider]]:
    """Yield each provider that is set up, with the name of its model where the settings give one."""
    if key := settings.openai_api_key:
        yield f"openai:{settings.openai_model}", _openai("openai", key, settings.openai_base_url)
    if settings.azure_openai_endpoint and (key := settings.azure_openai_key):
        model = settings.azure_openai_model
        yield f"azure-openai:{model}" if model else "", _azure(settings, settings.azure_openai_endpoint, key)
    if settings.aws_region and (provider := _bedrock(settings, settings.aws_region)):
        yield f"bedrock:{settings.bedrock_model_id}", provider
    for name, endpoint in settings.endpoints.items():
        yield "", _openai(name, endpoint.api_key, endpoint.base_url)


def _openai(name: str, key: SecretStr, url: str | None) -> ModelProvider:
    from aos_activities.models.openai import OPENAI_URL, OpenAIProvider

    return OpenAIProvider(name=name, api_key=key.get_secret_value(), base_url=url or OPENAI_URL)


def _azure(settings: Settings, endpoint: str, key: SecretStr) -> ModelProvider:
    from aos_activities.models.openai import AzureOpenAIProvider

    version = settings.azure_openai_api_version
    return AzureOpenAIProvider(endpoint=endpoint, api_key=key.get_secret_value(), api_version=version)


def _bedrock(settings: Settings, region: str) -> ModelProvider | None:
    import boto3

    from aos_activities.models.bedrock import BedrockProvider

    if boto3.Session().get_credentials() is None:
        return None
    return BedrockProvider(region=region, endpoint_url=settings.bedrock_endpoint)
