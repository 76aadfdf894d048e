"""AutoGen's component JSON is loaded as teams and agents; what cannot be loaded is named with its way out.

The fixtures are what `dump_component()` of autogen-agentchat 0.7.5 gives, without its descriptions.
"""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aos.compat.autogen import LeftOut, NotData, load_autogen
from aos.spec import AgentSpec
from aos.strategy import Edge, Graph, Planner, RoundRobin, Selector, Swarm
from aos.team_spec import TeamSpec
from aos.termination import (
    External,
    FunctionCall,
    Handoff,
    MaxMessages,
    Source,
    StopMessage,
    TextMention,
    Timeout,
    TokenUsage,
)

FIXTURES = Path(__file__).parent / "fixtures"
ALL = sorted(path.stem for path in FIXTURES.glob("*.json"))
GONE = object()
"""In place of a value: the key is taken out."""

STANDS: dict[str, Any] = {"tools": {"stock": "shop/stock"}, "members": {"person": "agent/ines"}}


def component(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def loaded(given: dict[str, Any] | str, **stands: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeftOut)
        return load_autogen(component(given) if isinstance(given, str) else given, **(stands or STANDS))


def notes_of(given: dict[str, Any], **stands: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_autogen(given, **(stands or STANDS))
    assert all(warning.category is LeftOut for warning in caught)
    return [str(warning.message) for warning in caught]


def problems_of(given: object, **stands: Any) -> list[str]:
    with pytest.raises(NotData) as refused:
        load_autogen(given, **stands)  # pyright: ignore[reportArgumentType] - wrong on purpose
    return refused.value.problems


def wrapped(kind: str, **config: Any) -> dict[str, Any]:
    return {"provider": f"autogen_agentchat.conditions.{kind}", "config": config}


def ending(condition: dict[str, Any]) -> dict[str, Any]:
    team = component("round_robin")
    team["config"]["termination_condition"] = condition
    return team


@pytest.mark.parametrize("name", ALL)
def test_what_is_loaded_survives_being_written_down(name: str) -> None:
    spec: TeamSpec | AgentSpec = loaded(name)
    kind = TeamSpec if isinstance(spec, TeamSpec) else AgentSpec
    assert kind.model_validate_json(spec.model_dump_json()) == spec


def test_a_round_robin_with_its_agents_and_conditions() -> None:
    team = loaded("round_robin")
    assert isinstance(team, TeamSpec)
    assert (team.name, team.purpose, team.strategy) == ("notices", "", RoundRobin())
    assert team.termination == MaxMessages(count=9) | (TextMention(text="APPROVED") & Source(sources=["critic"]))
    writer = team.members[0]
    assert (writer.name, writer.role) == ("writer", "Writes the notice.")
    assert writer.agent == AgentSpec(
        name="notices.writer",
        purpose="Writes the notice.",
        instructions="Write short notices.",
        model=["openai:gpt-4o-mini"],
        tools=[],
        temperature=0.2,
        max_output_tokens=500,
    )


def test_a_selector_with_a_team_in_it() -> None:
    team = loaded("selector")
    prompt = "Of {roles}, who of {participants} is next after {history}? Say {name}."
    assert team.strategy == Selector(model=["openai:gpt-4o-mini"], prompt=prompt, allow_repeats=True, attempts=5)
    assert team.termination == Timeout(after=60) | TokenUsage(total=5000) | External()
    desk = team.members[2]
    assert (desk.role, desk.team.name, desk.team.max_turns) == ("The night desk.", "choice.desk", 2)
    assert desk.team.termination == External(), "without one, AOS would end after a round"


def test_a_swarm_with_hand_offs_tools_memory_and_a_shape_of_answers() -> None:
    team = loaded("swarm")
    assert team.strategy == Swarm()
    assert team.termination == Handoff(target="user") | FunctionCall(function="shop/stock") | StopMessage()
    alice, bob = (member.agent for member in team.members)
    assert alice.tools == ["shop/stock", "handoff", "finish"]
    assert "- user: Ask whoever asks." in alice.instructions and "- The shop opens at nine." in alice.instructions
    assert alice.max_steps == 31
    assert bob.output_schema["properties"]["good"]["type"] == "boolean"


def test_a_graph_with_groups_conditions_and_a_start() -> None:
    team = loaded("graph")
    assert team.strategy == Graph(
        edges=[
            Edge(source="ann", target="ben", group="first"),
            Edge(source="ben", target="ann", condition="again", group="back"),
            Edge(source="ben", target="cat", condition="good", when="any"),
        ],
        start=["ann"],
    )
    assert (team.termination, team.max_turns) == (MaxMessages(count=300), 300)


def test_a_participant_that_is_in_no_node_never_speaks() -> None:
    given = component("graph")
    given["config"]["graph"]["default_start_node"] = None
    given["config"]["graph"]["nodes"]["ben"]["edges"] = [{"target": "cat"}]
    assert loaded(given).strategy.start == []
    del given["config"]["graph"]["nodes"]["ann"]
    assert loaded(given).strategy.start == ["ben"]


def test_a_planner() -> None:
    team = loaded("magentic")
    assert team.strategy == Planner(model=["openai:gpt-4o-mini"], max_stalls=2, max_plans=7)
    assert (team.termination, team.max_turns) == (None, 12)


def test_a_society_of_mind_is_a_team_and_one_that_speaks_for_it() -> None:
    team = loaded("society")
    desk, reader, person = team.members
    inner, speaker = desk.team.members
    assert [member.name for member in inner.team.members] == ["writer", "critic"]
    assert speaker.agent.instructions == "Your team has worked on this.\n\nNow answer."
    assert reader.agent.instructions == "Say APPROVED when it is good."
    assert (person.address, person.role) == ("agent/ines", "A person.")


def test_an_agent_alone() -> None:
    agent = loaded("agent")
    assert isinstance(agent, AgentSpec)
    assert (agent.name, agent.tools) == ("alice", ["shop/stock", "handoff"])


def test_a_file_is_read_and_may_be_given_another_name(tmp_path: Path) -> None:
    assert load_autogen(FIXTURES / "round_robin.json", name="board").name == "board"
    file = tmp_path / "team.json"
    for text, problem in (("{", "it is not valid JSON"), ("[" * 100_000, "nested too deeply"), ("[]", "object")):
        file.write_text(text)
        assert problem in problems_of(file)[0]
    assert "cannot be read" in problems_of(tmp_path / "none.json")[0]


def test_every_place_that_cannot_be_data_is_named_with_its_way_out() -> None:
    given = component("swarm")
    given["config"]["participants"][1] = component("society")["config"]["participants"][2]
    given["config"]["termination_condition"] = {"provider": "shop.endings.SoldOut", "config": {}}
    problems = problems_of(given)
    assert len(problems) == 3
    tool, person, condition = problems
    at = "component.config.participants"
    assert tool.startswith(f"{at}[0].config.workbench[0].config.tools[0]: the tool 'stock' is a Python function")
    assert "tools={'stock': 'app/stock'}" in tool
    assert person.startswith(f"{at}[1]: a person is no data") and "members={'person': " in person
    assert condition.startswith("component.config.termination_condition: shop.endings.SoldOut is code")
    assert "tools={'SoldOut': 'app/tool'}" in condition


def test_a_function_of_an_application_stands_for_a_condition_of_ones_own() -> None:
    own: dict[str, Any] = {"provider": "shop.endings.SoldOut", "config": {}}
    team = loaded(ending(own), tools={"SoldOut": "shop/sold_out"})
    assert team.termination.model_dump() == {"type": "function", "tool": "shop/sold_out"}


@pytest.mark.parametrize(
    ("provider", "config", "model"),
    [
        ("autogen_ext.models.openai.OpenAIChatCompletionClient", {"model": "gpt-4o"}, "openai:gpt-4o"),
        ("openai_chat_completion_client", {"model": "gpt-4o"}, "openai:gpt-4o"),
        (
            "AzureOpenAIChatCompletionClient",
            {"model": "gpt-4o", "azure_deployment": "mine", "azure_endpoint": "https://e", "api_version": "1"},
            "azure-openai:mine",
        ),
        (
            "autogen_ext.models.anthropic.AnthropicBedrockChatCompletionClient",
            {"model": "anthropic.claude-x", "bedrock_info": {"aws_region": "r"}},
            "bedrock:anthropic.claude-x",
        ),
        ("autogen_ext.models.ollama.OllamaChatCompletionClient", {"model": "qwen3"}, "local:qwen3"),
        (
            "autogen_ext.models.openai.OpenAIChatCompletionClient",
            {"model": "qwen3", "base_url": "http://x"},
            "local:qwen3",
        ),
        ("autogen_ext.models.replay.ReplayChatCompletionClient", {"chat_completions": []}, "offline"),
        (
            "autogen_ext.models.cache.ChatCompletionCache",
            {"client": {"provider": "OpenAIChatCompletionClient", "config": {"model": "gpt-4o"}}},
            "openai:gpt-4o",
        ),
    ],
)  # fmt: skip
def test_a_model_client_becomes_the_name_of_a_model(provider: str, config: dict[str, Any], model: str) -> None:
    given = component("agent")
    given["config"]["model_client"] = {"provider": provider, "config": config}
    models = {"qwen3": "local:qwen3", "ReplayChatCompletionClient": "offline"}
    assert loaded(given, tools={"stock": "shop/stock"}, models=models).model == [model]


def test_a_model_that_nothing_stands_for_is_refused_with_its_way_out() -> None:
    given = component("agent")
    given["config"]["model_client"]["config"]["base_url"] = "http://127.0.0.1:11434/v1"
    (problem,) = problems_of(given, tools={"stock": "shop/stock"})
    assert "component.config.model_client" in problem and "aos.toml" in problem and "models={" in problem
    assert loaded(given, tools={"stock": "shop/stock"}, models={"*": "offline"}).model == ["offline"]


def test_a_key_that_stands_in_the_json_is_told_of_and_not_taken() -> None:
    given = component("agent")
    given["config"]["model_client"]["config"]["api_key"] = "sk-secret"
    assert any("OPENAI_API_KEY of the workers" in note for note in notes_of(given))
    assert "sk-secret" not in loaded(given).model_dump_json()
    assert not any("secret" in note for note in notes_of(given))


def test_what_is_done_in_another_way_is_told_with_its_place() -> None:
    given = component("society")
    given["config"]["participants"][0]["config"]["team"]["config"]["speed"] = 3
    notes = notes_of(given)
    assert "component.config.participants[1].config.filter: is left out: " in "\n".join(notes)
    assert "component.config.participants[0].config.team.config.speed: is not known here and is left out" in notes
    forever = component("round_robin")
    del forever["config"]["termination_condition"]
    assert "would never end" in "\n".join(notes_of(forever))
    assert "nothing" not in "\n".join(notes_of(component("round_robin")))


CODER = {"provider": "autogen_agentchat.agents.CodeExecutorAgent", "config": {"name": "coder"}}
NAME = ("config", "participants", 0, "config", "name")


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("config", "participants"), [], "as TeamSpec: members"),
        (("provider",), "shop.MyTeam", "component: shop.MyTeam is no agent and no team"),
        (("provider",), GONE, "component: provider: this field is required"),
        (("config", "participants"), GONE, "component.config: participants: this field is required"),
        (NAME, "_a b", "config.name: '_a b'"),
        (NAME, "critic", "two called critic"),
        (("config", "max_turns"), 0, "as TeamSpec: max_turns"),
        (
            ("config", "participants", 1),
            CODER,
            "component.config.participants[1]: autogen_agentchat.agents.CodeExecutorAgent is no agent",
        ),
    ],
)
def test_what_is_wrong_is_named(place: tuple[str | int, ...], value: object, problem: str) -> None:
    given = component("round_robin")
    holder: Any = given
    for key in place[:-1]:
        holder = holder[key]
    if value is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    assert any(problem in found for found in problems_of(given)), problems_of(given)


def test_a_condition_of_a_thousand_levels_is_refused_or_loaded() -> None:
    condition = wrapped("MaxMessageTermination", max_messages=3)
    for number in range(1000):
        kind = "OrTerminationCondition" if number % 2 else "AndTerminationCondition"
        condition = {"provider": f"autogen_agentchat.base.{kind}", "config": {"conditions": [condition]}}
    assert problems_of(ending(condition))


def places_in(node: Any) -> list[tuple[Any, str | int]]:
    """Return every place in a JSON value, as what holds it and its key there."""
    if isinstance(node, dict):
        inside = cast(dict[str, Any], node).items()
    elif isinstance(node, list):
        inside = enumerate(cast(list[Any], node))
    else:
        return []
    holder = cast(Any, node)
    return [place for key, value in inside for place in ((holder, key), *places_in(value))]


EMPTY: list[Any] = [[], {}, [{}]]
ODD: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(EMPTY).map(deepcopy)
)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_is_put_anywhere_gives_a_spec_or_one_error(data: st.DataObject) -> None:
    given = component(data.draw(st.sampled_from(ALL)))
    holder, key = data.draw(st.sampled_from(places_in(given)))
    holder[key] = data.draw(ODD)
    before = deepcopy(given)
    with suppress(NotData):
        assert isinstance(loaded(given), TeamSpec | AgentSpec)
    assert given == before
