"""The shop."""

from __future__ import annotations

from collections.abc import Callable

from pages.blocks import blocks_of
from pages.place import ROOT, Place


def test_the_shop_of_the_readme_is_the_one_in_the_examples() -> None:
    written = {block.title: block.text for block in blocks_of(ROOT / "README.md") if block.title}

    assert written["shop.py"] == (ROOT / "examples/shop/shop.py").read_text()
    assert written["agents/bob.yaml"] == (ROOT / "examples/shop/agents/bob.yaml").read_text()


def test_the_clerk_looks_into_the_store_room(example: Callable[[str], Place]) -> None:
    shop = example("shop")

    shop.up("shop:app", "--agents", "agents")

    assert shop.run(["aos", "ask", "clerk", "Use stock with item=lamp"]) == "stock: 7 of lamp in stock\n"
    assert "the shop does not sell 'boat'" in shop.run(["aos", "ask", "clerk", "Use stock with item=boat"])


def test_bob_looks_into_the_store_room_by_himself(example: Callable[[str], Place]) -> None:
    shop = example("shop")

    shop.up("shop:app", "--agents", "agents")

    shop.until(["aos", "log", "bob"], "0 of rope in stock")
