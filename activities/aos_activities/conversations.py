"""A conversation as a chain of blobs: each step adds one, and the reference of the last one names it all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pydantic import Field, TypeAdapter

from aos.conversation import AssistantItem, Item, UserItem
from aos.store import BlobStore, ref_of
from aos.wire import Wire

_IMAGE_TOKENS = 1000
_ITEM: TypeAdapter[Item] = TypeAdapter(Item)


class Node(Wire):
    """One link of the chain. A `root` begins with a summary of all before it, and repeats the items that it keeps."""

    parent: str = ""
    root: bool = False
    items: list[Item] = Field(default_factory=list[Item])


@dataclass(frozen=True, slots=True)
class Window:
    """What a model is shown of a conversation: everything back to the last summary."""

    items: tuple[Item, ...] = ()
    tokens: int = 0

    def extended(self, items: Sequence[Item]) -> Window:
        """Return this window with `items` after it."""
        return Window((*self.items, *items), self.tokens + sum(map(estimate_tokens, items)))


def estimate_tokens(item: Item) -> int:
    """Return about how many tokens `item` costs a model: a quarter of its characters."""
    chars = len(item.text) + 16
    if isinstance(item, AssistantItem):
        chars += sum(len(call.name) + len(str(call.arguments)) for call in item.tool_calls)
    images = len(item.images) if isinstance(item, UserItem) else 0
    return chars // 4 + images * _IMAGE_TOKENS


@dataclass(frozen=True, slots=True)
class Draft:
    """A node that is not saved yet."""

    ref: str
    data: bytes
    window: Window


class Conversations:
    """Reads and extends conversations, keeping the windows that were used last."""

    def __init__(self, store: BlobStore, *, cached: int = 1000) -> None:
        self._store = store
        self._cached = cached
        self._windows: OrderedDict[str, Window] = OrderedDict()

    async def window(self, head: str) -> Window:
        """Return the window that ends at `head`; an empty `head` is a conversation not begun."""
        if not head:
            return Window()
        if window := self._windows.get(head):
            self._windows.move_to_end(head)
            return window
        parts: list[list[Item]] = []
        async for _, node in self._back_from(head):
            parts.append(node.items)
            if node.root:
                break
        window = Window().extended([item for part in reversed(parts) for item in part])
        self._remember(head, window)
        return window

    def extend(self, head: str, window: Window, items: Sequence[Item]) -> Draft:
        """Return the node that follows `head` with `items`."""
        return self._draft(Node(parent=head, items=list(items)), window.extended(items))

    def restart(self, head: str, items: Sequence[Item]) -> Draft:
        """Return the node that stands for `head` and everything before it."""
        return self._draft(Node(parent=head, root=True, items=list(items)), Window().extended(items))

    async def said_since(self, base: str, head: str) -> list[Item] | None:
        """Return the items from after `base` to `head`; None where `head` does not go on from `base`."""
        parts: list[list[Item]] = []
        async for ref, node in self._back_from(head):
            if ref == base:
                return [item for part in reversed(parts) for item in part]
            if node.root:
                break
            parts.append(node.items)
        return None

    def saved(self, draft: Draft, head: str = "") -> None:
        """Remember the window of a draft that the store holds now, in place of that of `head`, which it follows.

        Without `head`, the conversation goes on from there too.
        """
        self._windows.pop(head, None)
        self._remember(draft.ref, draft.window)

    async def newest_first(self, head: str) -> AsyncIterator[tuple[str, Item]]:
        """Yield every item ever said, newest first, with the reference of its node.

        What a summary repeats is left out, for the original comes later.
        """
        async for ref, node in self._back_from(head):
            if not node.root:
                for item in reversed(node.items):
                    yield ref, item

    async def _back_from(self, head: str) -> AsyncIterator[tuple[str, Node]]:
        while head:
            node = Node.model_validate_json(await self._store.load(head))
            yield head, node
            head = node.parent

    def _draft(self, node: Node, window: Window) -> Draft:
        data = node.model_dump_json().encode()
        return Draft(ref_of(data), data, window)

    def _remember(self, head: str, window: Window) -> None:
        self._windows[head] = window
        self._windows.move_to_end(head)
        while len(self._windows) > self._cached:
            self._windows.popitem(last=False)
