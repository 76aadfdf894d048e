from __future__ import annotations

from pathlib import Path

from aos.spec import DEFAULT_TOOLS
from aos_activities.builtin import builtin_tools
from engine.noticeboard import NoticeBoard, unused


def test_the_built_in_tools_have_those_that_every_spec_names_by_default() -> None:
    names = [tool.name for tool in builtin_tools(NoticeBoard(), unused())]
    assert names == [
        *("current_time", "set_timer", "list_documents", "read_document", "fetch_url"),
        *("send", "ask", "delegate", "handoff", "finish"),
        *("publish", "subscribe", "unsubscribe"),
        *("remember", "revise", "forget"),
    ]
    assert set(DEFAULT_TOOLS) <= set(names)


def test_folders_and_hosts_reach_their_tools(tmp_path: Path) -> None:
    (tmp_path / "harbour.md").write_text("north")
    tools = {tool.name: tool for tool in builtin_tools(NoticeBoard(), unused(), [tmp_path], ["example.org"])}
    assert str(tools["read_document"]("harbour.md")).endswith("north")
