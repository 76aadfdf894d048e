"""What model calls cost, from published price lists that ship with a package."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from aos.conversation import Usage

_PRICED_AS = {"azure-openai": "azure", "bedrock": "aws"}


def warm() -> None:
    """Load the price lists, which takes most of a second, so that no model call has to wait for them."""
    cost("openai", "gpt-4o-mini", Usage())


def cost(provider: str, model: str, usage: Usage) -> int:
    """Return the price of `usage` in millionths of a US dollar; 0 where the price is not known."""
    if provider == "offline":
        return 0
    # Imported here because it takes most of a second, which not every process that prices nothing should pay.
    import genai_prices

    tokens = genai_prices.Usage(
        input_tokens=max(usage.input_tokens, usage.cached_tokens),
        cache_read_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
    )
    try:
        price = genai_prices.calc_price(tokens, model, provider_id=_PRICED_AS.get(provider, provider))
    except LookupError:
        return 0
    return int((price.total_price * 1_000_000).quantize(Decimal(1), ROUND_HALF_UP))
