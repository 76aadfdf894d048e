"""YAML documents that know the line and column of everything in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from aos.json_value import check_text
from aos.limits import clip

_STR, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
_INT = "tag:yaml.org,2002:int"
_BOOL = "tag:yaml.org,2002:bool"
_LEFT_OUT = {_BOOL, "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"}


_DEPTH = 100
_NODES = 20_000
_TOO_DEEP = f"this is nested more deeply than {_DEPTH} levels"
_TOO_MANY = f"there are more than {_NODES} values up to here, those that aliases repeat among them"
_SHOWN_CHARS = 100


class Mark(NamedTuple):
    """A place in a text; both numbers count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


class YamlProblem(Exception):
    """A text that cannot be read as YAML, or not without guessing."""

    def __init__(self, place: Mark, text: str) -> None:
        self.place = place
        self.text = text
        super().__init__(f"{place}: {text}")


class _Loader(yaml.SafeLoader):
    """Plain words and dates stay texts: only `true` and `false` are truth values, as in YAML 1.2."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Return the next node, unless the text is made to take for ever."""
        self._depth += 1
        self._nodes += 1
        if self._depth > _DEPTH:
            raise YamlProblem(self.here, _TOO_DEEP)
        if self._nodes > _NODES:
            raise YamlProblem(self.here, _TOO_MANY)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    @property
    def here(self) -> Mark:
        """How far the text was read."""
        return Mark(self.line + 1, self.column + 1)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_OUT]
    + ([(_BOOL, re.compile(r"(true|True|TRUE|false|False|FALSE)$"))] if first in set("tTfF") else [])
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its `value`, of JSON's types, and where in the text each part stands."""

    value: object
    _root: Node

    def place_of(self, path: tuple[int | str, ...], *, key: bool = False) -> Mark:
        """Return where the value at `path` stands, or its key; where there is none, the object that lacks it."""
        node = self._root
        mark = _mark(node)
        for part in path:
            found = _child(node, part)
            if found is None:
                return mark
            name, node = found
            mark = _mark(name if key and name else node)
        return mark

    def is_bare(self, path: tuple[int | str, ...]) -> bool:
        """Return whether a scalar without quotes stands at `path`."""
        node = self._root
        for part in path:
            found = _child(node, part)
            if found is None:
                return False
            node = found[1]
        return isinstance(node, ScalarNode) and node.style is None


def documents(text: str) -> list[Document]:
    """Return the documents of a YAML text; empty ones are left out.

    Raises:
        YamlProblem: It is no YAML, or has a field twice, or what JSON cannot say.
    """
    found: list[Document] = []
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        while loader.check_node():
            root = loader.get_node()
            assert root is not None
            _Check().node(root, ())
            found.append(Document(_value(loader, root), root))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
        said = ", ".join(part for part in (error.problem, error.context) if part)
        raise YamlProblem(place, f"this is not valid YAML: {said}") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Mark(before.count("\n") + 1, error.position - before.rfind("\n"))
        raise YamlProblem(place, f"YAML does not allow the character U+{ord(text[error.position]):04X}") from None
    except ValueError as error:
        # An escape beyond the last character there is.
        raise YamlProblem(loader.here if loader else Mark(1, 1), f"this is not valid YAML: {error}") from None
    return [document for document in found if document.value is not None]


def _value(loader: _Loader, root: Node) -> object:
    return loader.construct_document(root)  # pyright: ignore[reportUnknownMemberType]  # PyYAML's stub says no types


def _implied_tag(node: ScalarNode) -> object:
    return _RESOLVER.resolve(ScalarNode, node.value, (True, False))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # as above


class _Check:
    """Checks one document, and joins the halves of characters that JSON writes as two escapes."""

    def __init__(self) -> None:
        self._left = _NODES

    def node(self, node: Node, above: tuple[Node, ...]) -> None:
        """Check a node and all within it. Aliases count each time: what is short may stand for very much."""
        self._left -= 1
        if self._left < 0:
            raise YamlProblem(_mark(node), _TOO_MANY)
        if any(node is parent for parent in above):
            raise YamlProblem(_mark(node), "an anchor cannot hold an alias of itself")
        if len(above) > _DEPTH:
            raise YamlProblem(_mark(node), _TOO_DEEP)
        if isinstance(node, ScalarNode):
            _check_scalar(node)
        elif isinstance(node, SequenceNode):
            for item in node.value:
                self.node(item, (*above, node))
        elif isinstance(node, MappingNode):
            self._mapping(node, (*above, node))

    def _mapping(self, node: MappingNode, above: tuple[Node, ...]) -> None:
        seen: dict[str, Mark] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.tag not in {_STR, _MERGE}:
                raise YamlProblem(_mark(key), "the name of a field is a text; put it in quotes")
            _check_scalar(key)
            if key.value in seen:
                first = seen[key.value].line
                name = clip(key.value, _SHOWN_CHARS)
                raise YamlProblem(_mark(key), f"{name}: this field stands here twice, first on line {first}")
            seen[key.value] = _mark(key)
            self.node(value, above)


def _check_scalar(node: ScalarNode) -> None:
    if node.tag not in (_STR, _MERGE) and node.tag != _implied_tag(node):
        raise YamlProblem(_mark(node), f"the tag {clip(node.tag, _SHOWN_CHARS)!r} is not known here; leave it out")
    try:
        node.value = check_text(node.value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))
        if node.tag == _INT:
            _RESOLVER.construct_yaml_int(node)
    except ValueError as error:
        raise YamlProblem(_mark(node), f"this cannot be read: {clip(str(error))}") from None


def _child(node: Node, part: int | str) -> tuple[Node | None, Node] | None:
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None


def _mark(node: Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


_RESOLVER = _Loader("")
