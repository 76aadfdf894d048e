"""The model providers that the settings allow for."""

from __future__ import annotations

import boto3

from aos.provider import ModelProvider
from aos_activities.models.bedrock import BedrockProvider
from aos_activities.models.offline import OfflineProvider
from aos_activities.models.openai import OPENAI_URL, AzureOpenAIProvider, OpenAIProvider
from aos_activities.models.prices import warm
from aos_activities.models.registry import ProviderRegistry
from aos_workers.settings import Settings

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


def _remote(settings: Settings) -> list[tuple[str, ModelProvider]]:
    found: list[tuple[str, ModelProvider]] = []
    if key := settings.openai_api_key:
        provider = OpenAIProvider(
            name="openai", api_key=key.get_secret_value(), base_url=settings.openai_base_url or OPENAI_URL
        )
        found.append((f"openai:{settings.openai_model}", provider))
    if settings.azure_openai_endpoint and (key := settings.azure_openai_key):
        provider = AzureOpenAIProvider(
            endpoint=settings.azure_openai_endpoint,
            api_key=key.get_secret_value(),
            api_version=settings.azure_openai_api_version,
        )
        model = settings.azure_openai_model
        found.append((f"azure-openai:{model}" if model else "", provider))
    if settings.aws_region and boto3.Session().get_credentials() is not None:
        provider = BedrockProvider(region=settings.aws_region, endpoint_url=settings.bedrock_endpoint)
        found.append((f"bedrock:{settings.bedrock_model_id}", provider))
    for name, endpoint in settings.endpoints.items():
        provider = OpenAIProvider(name=name, api_key=endpoint.api_key.get_secret_value(), base_url=endpoint.base_url)
        found.append(("", provider))
    return found
