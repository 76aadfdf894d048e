"""The tools of AutoGen's agents: code, for which tools of an application stand in AOS."""

from __future__ import annotations

from collections.abc import Sequence

from aos.compat.autogen.loading import Config, Loading
from aos.limits import clip


class _Bench(Config):
    tools: list[object]
    tool_overrides: object = None


_STATIC = frozenset({"StaticWorkbench", "StaticStreamWorkbench"})


def read_tools(loading: Loading, given: Sequence[object], place: str) -> list[str]:
    """Return the names of the tools in AOS. One that nothing stands for is refused."""
    names: list[str] = []
    for number, one in enumerate(given):
        at = f"{place}[{number}]"
        component = loading.parse(one, at)
        if component is None:
            continue
        called = str(component.config.get("name") or component.kind)
        if stands := loading.tools.get(called):
            names.append(stands)
            continue
        what = "a Python function" if component.kind == "FunctionTool" else f"a {clip(component.kind)}"
        loading.refuse(
            at,
            f"the tool {clip(called)!r} is {what}, which is no data: make it a `@tool` of an `App` and load with "
            f"tools={{{clip(called)!r}: 'app/{clip(called)}'}}",
        )
    return names


def read_workbenches(loading: Loading, given: Sequence[object], place: str) -> list[str]:
    """Return the names of the tools in workbenches. One that is no list of tools is refused."""
    names: list[str] = []
    for number, one in enumerate(given):
        at = f"{place}[{number}]"
        component = loading.parse(one, at)
        if component is None:
            continue
        if component.kind in _STATIC:
            bench = loading.config(_Bench, component, at)
            names += read_tools(loading, bench.tools if bench else [], f"{at}.config.tools")
            continue
        if stands := loading.tools.get(component.kind):
            names.append(stands)
            continue
        loading.refuse(
            at,
            f"{clip(component.kind)} is not among the tools of AOS: take it out of the JSON, or put what the agent "
            f"needs of it in a `@tool` of an `App` and load with tools={{{clip(component.kind)!r}: 'app/tool'}}",
        )
    return names
