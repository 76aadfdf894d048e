"""Single questions to models."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from aos.errors import TerminalModelError
from aos.provider import ModelRequest
from aos_activities.blobs.sqlite import SqliteBlobStore
from aos_activities.judging import JudgeRequest, JudgingActivities
from aos_activities.models.registry import ProviderRegistry
from engine.scripts import Answer, ScriptedAgents

QUESTION = JudgeRequest(asker="team/news", key="life/t1/1", models=["scripted:a", "scripted:b"], prompt="who is next?")


def activities(folder: Path, models: ScriptedAgents) -> JudgingActivities:
    return JudgingActivities(SqliteBlobStore(folder / "blobs.db"), ProviderRegistry([models], ["scripted:default"]))


async def test_a_model_answers_and_another_stands_in_for_one_that_fails(tmp_path: Path) -> None:
    models = ScriptedAgents()

    def broken(request: ModelRequest) -> Answer:
        raise TerminalModelError("scripted", "a", "broken", "mend it")

    models.scripts |= {"a": broken, "b": lambda request: "bob"}
    judgement = await ActivityEnvironment().run(activities(tmp_path, models).judge, QUESTION)
    assert (judgement.text, judgement.model, judgement.usage.calls) == ("bob", "scripted:b", 1)


async def test_a_question_that_was_answered_is_not_paid_for_twice(tmp_path: Path) -> None:
    models = ScriptedAgents()
    judging = activities(tmp_path, models)
    first = await ActivityEnvironment().run(judging.judge, QUESTION)
    again = await ActivityEnvironment().run(judging.judge, QUESTION.model_copy(update={"again": True}))
    assert again == first
    assert len(models.requests["a"]) == 1
    other = QUESTION.model_copy(update={"again": True, "prompt": "who is last?"})
    await ActivityEnvironment().run(judging.judge, other)
    assert len(models.requests["a"]) == 2


async def test_an_answer_is_read_by_its_schema(tmp_path: Path) -> None:
    models = ScriptedAgents()
    models.scripts["a"] = lambda request: '{"next": "bob"}'
    schema = {"type": "object", "required": ["next"]}
    asked = QUESTION.model_copy(update={"output_schema": schema})
    judging = activities(tmp_path, models)
    assert (await ActivityEnvironment().run(judging.judge, asked)).output == {"next": "bob"}
    models.scripts["a"] = lambda request: "bob"
    other = asked.model_copy(update={"key": "life/t1/2"})
    judgement = await ActivityEnvironment().run(judging.judge, other)
    assert judgement.output is None and "no JSON" in judgement.problem and judgement.text == "bob"


async def test_a_model_that_is_not_there_is_not_tried_again(tmp_path: Path) -> None:
    judging = activities(tmp_path, ScriptedAgents())
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(judging.judge, QUESTION.model_copy(update={"models": ["nobody:x"]}))
    assert failure.value.non_retryable
