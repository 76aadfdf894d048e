from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from aos.conversation import Usage
from aos.termination import (
    AllOf,
    AnyOf,
    Condition,
    External,
    Function,
    FunctionCall,
    Handoff,
    MaxMessages,
    Money,
    NoProgress,
    Source,
    StopMessage,
    Termination,
    TextMention,
    TextMessage,
    Timeout,
    TokenUsage,
)
from aos_workflows.team.course import Said
from aos_workflows.team.ending import Ending

NOW = 1_000_000.0
TERMINATION: TypeAdapter[Termination] = TypeAdapter(Termination)
TASK = Said(source="user", text="Write a poem.")


def say(text: str = "well", source: str = "ada", **fields: object) -> Said:
    return Said.model_validate({"source": source, "text": text, **fields})


def ending(condition: Condition) -> Ending:
    return Ending.of(TERMINATION.validate_python(condition.model_dump()))


def crossed(ending: Ending) -> Ending:
    return Ending.model_validate_json(ending.model_dump_json())


def why(condition: Condition, *said: Said) -> str | None:
    """Return why a task is over in which this was said, looked at message by message with rollovers between."""
    state = ending(condition)
    reason: str | None = None
    for line in said:
        state = crossed(state)
        reason = state.look([line], NOW)
    return reason


def test_without_a_termination_nothing_ends_a_task() -> None:
    state = Ending.of(None)
    assert state.look([TASK, say(stop=True)], NOW) is None
    assert (state.hit, state.due, state.questions(), state.reason) == ([], None, [], None)


def test_the_task_is_the_first_of_the_messages() -> None:
    assert why(MaxMessages(count=2), TASK) is None
    assert why(MaxMessages(count=2), TASK, say()) == "2 messages were said"
    assert why(MaxMessages(count=1), TASK) == "1 messages were said"


def test_a_text_is_looked_for_in_what_the_sources_said() -> None:
    assert why(TextMention(text="poem"), TASK) == "user mentioned 'poem'"
    critic = TextMention(text="APPROVED", sources=["critic"])
    assert why(critic, say("APPROVED"), say("approved", "critic")) is None
    assert why(critic, say("It is APPROVED!", "critic")) == "critic mentioned 'APPROVED'"


def test_a_text_message_is_what_a_member_answers_that_neither_hands_on_nor_finishes() -> None:
    assert why(TextMessage(), TASK) is None
    assert why(TextMessage(), say(handoff="bob"), say(stop=True)) is None
    assert why(TextMessage(), TASK, say()) == "ada answered with a text"
    assert why(TextMessage(source="bob"), say()) is None
    assert why(TextMessage(source="user"), TASK) == "user answered with a text"


def test_a_stop_message_is_that_of_a_member_that_finished() -> None:
    assert why(StopMessage(), TASK, say("stop")) is None
    assert why(StopMessage(), TASK, say(stop=True)) == "ada said that the task is done"


def test_tokens_are_added_up() -> None:
    used = say(usage={"input_tokens": 30, "output_tokens": 20})
    assert why(TokenUsage(total=100), TASK, used) is None
    assert why(TokenUsage(total=100), TASK, used, used) == "100 tokens were used, of 100"
    assert why(TokenUsage(input=61), used, used) is None
    assert why(TokenUsage(input=60, output=1000), used, used) == "60 input tokens were used, of 60"
    assert why(TokenUsage(output=39), used, used) == "40 output tokens were used, of 39"


def test_money_is_added_up_with_what_the_team_itself_spent() -> None:
    dear = say(usage={"cost": 400_000})
    assert why(Money(dollars=0.8), TASK, dear) is None
    assert why(Money(dollars=0.8), TASK, dear, dear) == "it cost $0.8, of $0.8"
    state = ending(Money(dollars=0.8))
    state.look([dear], NOW)
    state.charge(Usage(cost=400_000))
    assert crossed(state).look([], NOW) == "it cost $0.8, of $0.8"


def test_time_goes_by_from_the_first_look() -> None:
    state = ending(Timeout(after=60))
    assert state.due is None
    assert state.look([TASK], NOW) is None
    state = crossed(state)
    assert state.due == NOW + 60
    assert state.look([], NOW + 59) is None
    assert state.look([], NOW + 60) == "60 s went by"
    assert state.due is None


def test_a_time_out_that_alone_is_not_enough_is_not_waited_for_twice() -> None:
    state = ending(Timeout(after=60) & StopMessage())
    state.look([TASK], NOW)
    assert state.look([], NOW + 60) is None
    assert state.due is None
    assert state.look([say(stop=True)], NOW + 61) == "60 s went by, ada said that the task is done"


def test_the_earliest_time_out_is_due() -> None:
    state = ending(Timeout(after=60) & (Timeout(after=30) & StopMessage()))
    state.look([TASK], NOW)
    assert state.due == NOW + 30
    state.look([], NOW + 30)
    assert state.due == NOW + 60


def test_a_handoff_ends_the_task_when_it_is_to_the_target() -> None:
    assert why(Handoff(target="user"), TASK, say(handoff="bob")) is None
    assert why(Handoff(target="user"), TASK, say(handoff="user")) == "ada handed on to user"


def test_it_can_be_ended_from_outside() -> None:
    state = ending(External())
    assert state.look([TASK], NOW) is None
    state.end_outside()
    assert crossed(state).look([], NOW) == "it was ended from outside"
    state = ending(MaxMessages(count=5))
    state.end_outside()
    assert state.look([TASK], NOW) is None, "only where the termination says so"


def test_a_source_ends_the_task_when_it_speaks() -> None:
    assert why(Source(sources=["bob", "cid"]), TASK, say()) is None
    assert why(Source(sources=["bob", "cid"]), TASK, say(source="cid")) == "cid spoke"


def test_a_function_that_was_called_ends_the_task_by_its_full_or_short_name() -> None:
    called = say(called=["look", "approve"])
    assert why(FunctionCall(function="refuse"), called) is None
    assert why(FunctionCall(function="approve"), called) == "ada called approve"
    assert why(FunctionCall(function="desk/approve"), called) == "ada called desk/approve"


def test_a_function_is_asked_about_what_was_said_since_it_was_asked() -> None:
    state = ending(Function(tool="desk/enough"))
    assert state.questions() == []
    assert state.look([TASK], NOW) is None
    (question,) = state.questions()
    assert (question.kind, question.tool) == ("function", "desk/enough")
    assert question.arguments == {"messages": [{"source": "user", "text": "Write a poem."}]}
    state = crossed(state)
    state.look([say("Roses")], NOW)
    assert state.answered(0, False) is None
    (question,) = state.questions()
    assert question.arguments == {"messages": [{"source": "ada", "text": "Roses"}]}
    assert crossed(state).answered(0, True) == "the function desk/enough says so"


def test_a_question_that_was_given_up_is_asked_again_in_full() -> None:
    state = ending(Function(tool="desk/enough"))
    state.look([TASK], NOW)
    state.questions()
    state.look([say("Roses")], NOW)
    (question,) = state.questions()
    messages = question.arguments["messages"]
    assert isinstance(messages, list) and len(messages) == 2


def test_several_functions_are_each_asked_until_they_hold() -> None:
    state = ending(Function(tool="desk/a") & Function(tool="desk/b") & MaxMessages(count=1))
    state.look([TASK], NOW)
    assert [question.tool for question in state.questions()] == ["desk/a", "desk/b"]
    assert state.answered(0, False) is None
    assert state.answered(1, True) is None
    state.look([say()], NOW)
    assert [question.tool for question in state.questions()] == ["desk/a"]
    assert state.answered(0, True) is not None
    assert state.hit == ["max_messages", "function", "function"]


def test_what_a_function_is_told_stays_bounded() -> None:
    state = ending(Function(tool="desk/enough"))
    state.look([say(str(number)) for number in range(1000)], NOW)
    (question,) = state.questions()
    messages = question.arguments["messages"]
    assert isinstance(messages, list) and len(messages) == 100
    assert messages[-1] == {"source": "ada", "text": "999"}


def test_no_progress_is_when_the_last_messages_were_all_said_before() -> None:
    stuck = NoProgress(messages=2)
    assert why(stuck, TASK, say("a"), say("b"), say("a")) is None
    assert why(stuck, TASK, say("a"), say("b"), say("A "), say("b", "bob")) == "the last 2 messages brought nothing new"
    assert why(stuck, TASK, say("a"), say("a"), say("new"), say("a")) is None
    assert why(stuck, TASK, TASK, TASK) is None, "only what members say counts"
    assert why(stuck, TASK, say(TASK.text), say(TASK.text)) is not None, "echoes of the task are nothing new"


def test_all_wait_for_each_other_and_any_do_not() -> None:
    both = MaxMessages(count=2) & TextMention(text="APPROVED")
    assert why(both, say("APPROVED")) is None
    assert why(both, say("APPROVED"), say()) == "ada mentioned 'APPROVED', 2 messages were said"
    assert why(both, say(), say()) is None
    either = MaxMessages(count=2) | TextMention(text="APPROVED")
    assert why(either, say("APPROVED")) == "ada mentioned 'APPROVED'"
    assert why(either, TASK, say("APPROVED")) == "2 messages were said, ada mentioned 'APPROVED'"


def test_it_names_the_types_that_held() -> None:
    state = ending((MaxMessages(count=9) | StopMessage()) & TextMention(text="APPROVED"))
    state.look([say("APPROVED")], NOW)
    assert state.hit == []
    state.look([say(stop=True)], NOW)
    assert state.hit == ["text_mention", "stop_message"]


def test_what_was_taken_in_does_not_count_again() -> None:
    state = ending(MaxMessages(count=3))
    state.look([TASK], NOW)
    for _ in range(5):
        assert crossed(state).look([], NOW) is None


def test_a_task_that_is_over_stays_over() -> None:
    state = ending(StopMessage())
    reason = state.look([say(stop=True)], NOW)
    assert state.look([say()], NOW) == reason


sources = st.sampled_from(["user", "ada", "bob"])
lines = st.builds(
    Said,
    source=sources,
    text=st.sampled_from(["APPROVED", "yes", "no", "a", "b", ""]),
    handoff=st.sampled_from(["", "", "user", "bob"]),
    stop=st.sampled_from([False, False, False, True]),
    called=st.lists(st.sampled_from(["look", "approve"]), max_size=2),
    usage=st.builds(
        Usage, input_tokens=st.integers(0, 50), output_tokens=st.integers(0, 50), cost=st.integers(0, 10**6)
    ),
)
leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(MaxMessages, count=st.integers(1, 12)),
    st.builds(TextMention, text=st.sampled_from(["APPROVED", "no"]), sources=st.sampled_from([[], ["ada"]])),
    st.builds(TextMessage, source=st.sampled_from(["", "bob"])),
    st.just(StopMessage()),
    st.builds(TokenUsage, total=st.integers(1, 300)),
    st.builds(Money, dollars=st.floats(0.1, 4)),
    st.builds(Handoff, target=st.sampled_from(["user", "bob"])),
    st.builds(Source, sources=st.sampled_from([["bob"], ["user", "ada"]])),
    st.just(FunctionCall(function="approve")),
    st.builds(NoProgress, messages=st.integers(2, 4)),
    st.builds(Timeout, after=st.integers(1, 12)),
)


def combined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=1, max_size=3).map(lambda each: [one.model_dump() for one in each])
    return st.tuples(st.sampled_from([AnyOf, AllOf]), several).map(lambda both: both[0].model_validate({"of": both[1]}))


expressions = st.recursive(leaves, combined, max_leaves=8)
talks = st.lists(lines, max_size=15)


def over_at(condition: Condition, talk: Sequence[Said]) -> int | None:
    """Return after how many messages the task is over. One is said a second."""
    state = ending(condition)
    for count, line in enumerate(talk):
        state = crossed(state)
        if state.look([line], NOW + count):
            return count
    return None


def expected(condition: Condition, talk: Sequence[Said]) -> int | None:
    """Return the same from when each single condition holds: any takes the first, all the last of these."""
    match condition:
        case AnyOf(of=of):
            times = [expected(part, talk) for part in of]
            return min((time for time in times if time is not None), default=None)
        case AllOf(of=of):
            times = [expected(part, talk) for part in of]
            return None if None in times else max(time for time in times if time is not None)
        case _:
            return over_at(condition, talk)


@settings(max_examples=150, deadline=None)
@given(expression=expressions, talk=talks)
def test_an_expression_holds_when_its_parts_say_so(expression: Condition, talk: list[Said]) -> None:
    assert over_at(expression, talk) == expected(expression, talk)


@settings(max_examples=100, deadline=None)
@given(expression=expressions, talk=talks, cuts=st.lists(st.integers(0, 15), max_size=5))
def test_it_is_the_same_in_however_many_looks(expression: Condition, talk: list[Said], cuts: list[int]) -> None:
    one_by_one, in_parts = ending(expression), ending(expression)
    for line in talk:
        one_by_one.look([line], NOW)
    bounds = [0, *sorted(min(cut, len(talk)) for cut in cuts), len(talk)]
    for begin, finish in pairwise(bounds):
        in_parts.look(talk[begin:finish], NOW)
    assert bool(one_by_one.reason) == bool(in_parts.reason)
    assert sorted(set(one_by_one.hit)) == sorted(set(in_parts.hit))


@settings(max_examples=100, deadline=None)
@given(expression=expressions, talk=talks)
def test_what_has_held_holds_for_good_and_crosses_rollovers(expression: Condition, talk: list[Said]) -> None:
    state, before = ending(expression), set[str]()
    for count, line in enumerate(talk):
        twin = crossed(state)
        assert state.look([line], NOW + count) == twin.look([line], NOW + count)
        assert crossed(state) == state == twin
        assert (state.hit, state.due) == (twin.hit, twin.due)
        assert before <= set(state.hit), "a condition that held holds no more"
        assert bool(state.hit) == bool(state.reason)
        before = set(state.hit)


@settings(max_examples=80, deadline=None)
@given(one=expressions, other=expressions, third=leaves, talk=talks)
def test_and_and_or_keep_their_laws(one: Condition, other: Condition, third: Condition, talk: list[Said]) -> None:
    def over(condition: Condition) -> int | None:
        return over_at(condition, talk)

    assert over(one | other) == over(other | one)
    assert over(one & other) == over(other & one)
    assert over(one | one) == over(one & one) == over(one)
    assert over(one | (one & other)) == over(one & (one | other)) == over(one)
    assert over((one | other) | third) == over(one | (other | third))
    assert over((one & other) & third) == over(one & (other & third))
    assert over(one & (other | third)) == over((one & other) | (one & third))


@pytest.mark.parametrize("count", [1, 50])
def test_a_number_of_messages_bounds_every_task_it_is_joined_to(count: int) -> None:
    never = MaxMessages(count=count) | (StopMessage() & External())
    state = ending(never)
    said = 0
    while not state.look([say(str(said))], NOW):
        said += 1
    assert said == count - 1
