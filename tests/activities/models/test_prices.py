"""What model calls cost."""

from __future__ import annotations

import pytest

from aos.conversation import Usage
from aos_activities.models.prices import cost, warm

MILLION = Usage(input_tokens=1_000_000)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-mini"),
        ("openai", "gpt-4o-mini-2024-07-18"),
        ("azure-openai", "gpt-4o-mini"),
        ("bedrock", "eu.amazon.nova-lite-v1:0"),
        ("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
    ],
)
def test_a_known_model_has_its_price(provider: str, model: str) -> None:
    warm()
    assert 10_000 < cost(provider, model, MILLION) < 10_000_000


def test_the_price_is_in_millionths_of_a_dollar() -> None:
    usage = Usage(input_tokens=1000, output_tokens=100)
    assert cost("openai", "gpt-4o-mini", usage) == 210


def test_cached_tokens_cost_less_than_fresh_ones() -> None:
    cached = Usage(input_tokens=1_000_000, cached_tokens=1_000_000)
    assert 0 < cost("openai", "gpt-4o-mini", cached) < cost("openai", "gpt-4o-mini", MILLION)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("offline", "extractive"),
        ("local", "llama"),
        ("openai", "no-such-model"),
        ("azure-openai", "my-deployment"),
        ("", ""),
    ],
)
def test_an_unknown_price_is_nothing(provider: str, model: str) -> None:
    assert cost(provider, model, MILLION) == 0


def test_more_cached_than_read_tokens_still_have_a_price() -> None:
    assert cost("openai", "gpt-4o-mini", Usage(input_tokens=1, cached_tokens=1_000_000)) > 0
