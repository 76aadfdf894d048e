"""A shop whose clerk can look into the store room."""

from aos import AgentSpec, App, TerminalError, tool

STOCK = {"lamp": 7, "rope": 0}


@tool
def stock(item: str) -> str:
    """Say how many of an item are in the store room.

    Args:
        item: What it is called, such as lamp.
    """
    if item not in STOCK:
        raise TerminalError(f"the shop does not sell {item!r}; it sells {', '.join(STOCK)}")
    return f"{STOCK[item]} of {item} in stock"


clerk = AgentSpec(name="clerk", purpose="Answer questions about the shop.", tools=["shop/stock"])

app = App("shop", tools=[stock], agents=[clerk])
