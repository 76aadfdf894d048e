"""Every history that a released version has made must be replayed by this one: agents that live have such histories."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from aos.plugin import AosPlugin
from aos_workflows.agent import PerpetualAgent
from aos_workflows.read_back import ReadBack
from aos_workflows.team.workflow import AgentTeam
from aos_workflows.topic.workflow import Topic
from aos_workflows.use_memory import UseMemory

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
WORKFLOWS = (PerpetualAgent, ReadBack, AgentTeam, Topic, UseMemory)


def replayer() -> Replayer:
    return Replayer(workflows=WORKFLOWS, plugins=[AosPlugin()])


def events(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["events"]


def workflow_id(events: list[dict[str, Any]]) -> str:
    return events[0]["workflowExecutionStartedEventAttributes"]["workflowId"]


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_is_replayed(path: Path) -> None:
    history = WorkflowHistory.from_json(workflow_id(events(path)), path.read_text(encoding="utf-8"))
    result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None


def test_this_version_has_recorded_a_history_of_every_workflow() -> None:
    recorded = {tuple(path.stem.split("-")[:2]) for path in HISTORIES}
    for workflow in WORKFLOWS:
        assert (workflow.__name__, version("agent-operating-system")) in recorded


def test_the_life_that_is_recorded_has_all_that_happens_to_an_agent() -> None:
    life = [event for path in HISTORIES if "-life-" in path.stem for event in events(path)]
    text = json.dumps(life)
    types = {event["eventType"].removeprefix("EVENT_TYPE_") for event in life}
    assert {
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "WORKFLOW_EXECUTION_COMPLETED",
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "ACTIVITY_TASK_CANCEL_REQUESTED",
        "TIMER_FIRED",
    } <= types
    for name in (
        "prepare_agent",
        "think",
        "run_tool",
        "compact",
        "describe_tools",
        "configure",
        "pause",
        "resume",
        "stop",
    ):
        assert f'"{name}"' in text


def test_the_life_of_a_topic_that_is_recorded_has_all_that_happens_to_one() -> None:
    life = [event for path in HISTORIES if path.stem.startswith("Topic-") for event in events(path)]
    types = {event["eventType"].removeprefix("EVENT_TYPE_") for event in life}
    assert {
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "WORKFLOW_EXECUTION_COMPLETED",
        "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
        "CHILD_WORKFLOW_EXECUTION_STARTED",
    } <= types
    for name in ("set_aside", "subscribe", "unsubscribe", "publish", "place", "remove", "stop"):
        assert f'"{name}"' in json.dumps(life)


@pytest.mark.parametrize(
    "path", [path for path in HISTORIES if path.stem.endswith("life-1")], ids=lambda path: path.stem
)
async def test_a_history_that_was_tampered_with_is_refused(path: Path) -> None:
    history = json.loads(path.read_text(encoding="utf-8"))
    scheduled = next(e for e in history["events"] if e["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED")
    scheduled["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "dream"
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(WorkflowHistory.from_json(workflow_id(history["events"]), history))
