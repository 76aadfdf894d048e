"""Tools: typed Python functions that agents call.

@tool(timeout="30s", permission="orders.read")
async def find_order(number: int) -> Order:
    '''Find an order.

Args:
        number: As printed on the invoice.
    '''
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, overload

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import ParamSpec, TypeVar

from aos.duration import Duration
from aos.errors import InvalidTool
from aos.names import check_name
from aos.provider import ToolSchema
from aos.tool_call import ToolCallInfo, current_call, in_call
from aos.tool_contracts import ToolDescription, ToolPolicy
from aos.tool_schema import Signature, read_signature

__all__ = ["Tool", "ToolCallInfo", "by_name", "current_call", "in_call", "tool"]

P = ParamSpec("P", default=...)
R_co = TypeVar("R_co", covariant=True, default=object)

_DEFAULT_ATTEMPTS = 3
_MODEL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIMEOUT: TypeAdapter[float] = TypeAdapter(Annotated[Duration, Field(gt=0)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Tool(Generic[P, R_co]):
    """A function that agents may call; called itself, it is that function. Made by `tool`."""

    name: str
    function: Callable[P, R_co]
    signature: Signature
    timeout: float
    """Seconds that one attempt may take."""
    attempts: int
    permission: str = ""
    optional_permissions: tuple[str, ...] = ()
    """Permissions that agents need for some of what it does: `current_call().permissions` has those that one has."""
    kernel: bool = False
    """The workflow itself carries the call out; the function is never reached."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function itself, as if it were no tool."""
        return self.function(*args, **kwargs)

    @property
    def description(self) -> str:
        """What the model is told of the tool."""
        return self.signature.description

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON schema of the arguments, one object."""
        return self.signature.parameters

    def validate(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments, checked and converted as pydantic does, ready to call the tool with.

        Raises:
            InvalidInput: Some are wrong, missing or unknown; each is named.
        """
        return self.signature.validate(self.name, arguments)

    def describe(self, queue: str) -> ToolDescription:
        """Return the tool as data, as served on the task queue `queue`."""
        return ToolDescription(
            definition=ToolSchema(name=self.name, description=self.description, parameters=self.parameters),
            policy=ToolPolicy(
                queue=queue,
                timeout=self.timeout,
                attempts=self.attempts,
                permission=self.permission,
                optional_permissions=list(self.optional_permissions),
                kernel=self.kernel,
            ),
        )


@overload
def tool(function: Callable[P, R_co], /) -> Tool[P, R_co]: ...
@overload
def tool(
    *,
    timeout: float | str = 60.0,
    attempts: int | None = None,
    idempotent: bool = True,
    permission: str = "",
    optional_permissions: Iterable[str] = (),
    name: str | None = None,
) -> Callable[[Callable[P, R_co]], Tool[P, R_co]]: ...
def tool(
    function: Callable[P, R_co] | None = None,
    /,
    *,
    timeout: float | str = 60.0,
    attempts: int | None = None,
    idempotent: bool = True,
    permission: str = "",
    optional_permissions: Iterable[str] = (),
    name: str | None = None,
) -> Tool[P, R_co] | Callable[[Callable[P, R_co]], Tool[P, R_co]]:
    """Make a tool of a function, sync or async, whose parameters are all annotated.

    A sync function runs in a thread of its own. Such a thread cannot be stopped: after a time-out it runs on beside
    the next attempt.

    Args:
        function: What becomes a tool, where the decorator is used without arguments.
        timeout: How long one attempt may take: seconds, or a text such as `"30s"`.
        attempts: How often it is tried, at most; 3 by default.
        idempotent: False: doing it twice does harm, so it is tried once. A worker that dies meanwhile leaves open
            whether it was done. `current_call().key` lets a function recognise a repeated attempt.
        permission: Permission that an agent's spec must grant.
        optional_permissions: Permissions for some of what it does; `current_call().permissions` has those granted.
        name: Name of the tool; the function's by default.

    Raises:
        InvalidTool: The function cannot be a tool.
    """

    def make(function: Callable[P, R_co]) -> Tool[P, R_co]:
        named = name if name is not None else getattr(function, "__name__", "")
        _check_tool_name(named)
        if not idempotent and attempts not in (None, 1):
            raise InvalidTool(named, f"attempts={attempts} contradicts idempotent=False")
        if attempts is not None and attempts < 1:
            raise InvalidTool(named, f"attempts={attempts}: it takes at least one")
        try:
            limit = _TIMEOUT.validate_python(timeout)
        except ValidationError as error:
            raise InvalidTool(named, f"timeout={timeout!r}: {error.errors()[0]['msg']}") from None
        return Tool(
            name=named,
            function=function,
            signature=read_signature(named, function),
            timeout=limit,
            attempts=(attempts or _DEFAULT_ATTEMPTS) if idempotent else 1,
            permission=permission,
            optional_permissions=tuple(optional_permissions),
        )

    return make if function is None else make(function)


def by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    """Return the tools by their names.

    Raises:
        InvalidTool: Two have one name, or one is a function without `@tool`.
    """
    named: dict[str, Tool] = {}
    for each in tools:
        # The annotation is a promise that an application's untyped code may break.
        if not isinstance(each, Tool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTool(getattr(each, "__name__", repr(each)), "it is no tool; put @tool before the function")
        if each.name in named:
            raise InvalidTool(each.name, "there are two tools of this name; give one another with @tool(name=...)")
        named[each.name] = each
    return named


def _check_tool_name(name: str) -> None:
    try:
        check_name(name)
    except ValueError as error:
        raise InvalidTool(name, f"{error}; choose another with @tool(name=...)") from None
    if not _MODEL_NAME.fullmatch(name):
        problem = "models accept only letters, digits, '_' and '-', at most 64 of them"
        raise InvalidTool(name, f"{problem}; choose another with @tool(name=...)")
