"""Whatever is sent to AOS is read or refused by one typed error, soon; what is read can be written and read again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter

from aos.control import Changes, Lookup, Stop
from aos.errors import InvalidInput
from aos.limits import MESSAGE_BYTES, SPEC_BYTES
from aos.manifest import load_agents, load_changes, read_setting
from aos.message import Event, Message
from aos.read_back import ReadBackRequest
from aos.reading import check_size, problems, read_object
from aos.spec import AgentSpec
from aos_workflows.inbound import read, refusal
from aos_workflows.migrations import dump_state, load_state
from aos_workflows.resume import Resume
from aos_workflows.state import AgentState
from aos_workflows.waking import event_message
from fuzzing.cases import Cases
from fuzzing.mutation import Mutator
from fuzzing.samples import CHANGES, EVENTS, LOOKUPS, MESSAGES, SPECS, STOPS, YAML

HARBOUR = AgentSpec.model_validate({"name": "ada", "triggers": [{"type": "event", "event": "*"}]})
ENCODINGS = (b"json/plain",) * 20 + (b"json/protobuf", b"binary/null", b"", b"binary/plain", b"\xff", b"x" * 5000)
CONVERTER = pydantic_data_converter.payload_converter
LONGEST_REFUSAL = 8000

READERS: dict[str, tuple[type[BaseModel], tuple[dict[str, Any], ...], int]] = {
    "message": (Message, MESSAGES, MESSAGE_BYTES),
    "event": (Event, EVENTS, MESSAGE_BYTES),
    "stop": (Stop, STOPS, SPEC_BYTES),
    "changes": (Changes, CHANGES, SPEC_BYTES),
    "replies": (Lookup, LOOKUPS, SPEC_BYTES),
    "agent": (AgentSpec, SPECS, SPEC_BYTES),
    "read": (
        ReadBackRequest,
        ({"transcript": {"head": "a", "limit": 5}}, {"blob": {"ref": "a", "offset": 1}}),
        SPEC_BYTES,
    ),
}
SHARES = {"message": 0.32, "event": 0.2, "agent": 0.2, "changes": 0.15, "stop": 0.05, "replies": 0.05, "read": 0.03}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", READERS)
def test_a_payload_is_read_or_refused_and_what_is_read_outlasts_a_rollover(
    what: str, seed: int, long_form: bool
) -> None:
    model, samples, limit = READERS[what]
    cases = Cases(seed, what)

    def case(chance: Random) -> tuple[object, Callable[[], str]]:
        mutator = Mutator(chance)
        data = mutator.payload(chance.choice(samples))
        raw = RawValue(Payload(metadata={"encoding": chance.choice(ENCODINGS)}, data=data))
        return data, lambda: _told(lambda: _use(read(model, what, raw, limit)))

    for number in range(round(SHARES[what] * (485_000 if long_form else 97_000))):
        cases.run(number, case)
    cases.check()
    assert cases.outcomes["read"] > 50
    assert cases.outcomes["refused"] > 50


def test_what_programs_give_is_read_or_refused(seed: int, long_form: bool) -> None:
    cases = Cases(seed, "object")
    models: list[tuple[type[BaseModel], tuple[dict[str, Any], ...]]]
    models = [(Message, MESSAGES), (Event, EVENTS), (AgentSpec, SPECS), (Changes, CHANGES)]
    odd = (
        "\ud800",
        {"\udfff": 1},
        math.nan,
        -math.inf,
        {1: 2},
        {1, 2},
        (1, 2),
        b"\xff",
        object(),
        10**6000,
        1j,
        Path(),
    )

    def case(chance: Random) -> tuple[object, Callable[[], str]]:
        model, samples = chance.choice(models)
        mutator = Mutator(chance)
        wrapped: Any = json.loads(mutator.written(chance.choice(samples)))
        wrapped[chance.choice(list(wrapped))] = chance.choice((*odd, mutator.odd()))
        if chance.random() < 0.2:
            wrapped["output_schema"] = {"const": chance.choice(odd)}
        return wrapped, lambda: _told(lambda: _carry(read_object(model, "it", wrapped)))

    for number in range(10_000 if long_form else 2_000):
        cases.run(number, case)
    cases.check()


def test_a_manifest_is_read_or_refused(seed: int, long_form: bool, tmp_path: Path) -> None:
    cases = Cases(seed, "manifest")
    file = tmp_path / "ada.yaml"

    def case(chance: Random) -> tuple[object, Callable[[], str]]:
        mutator = Mutator(chance)
        if chance.random() < 0.4:
            data = mutator.payload(chance.choice(SPECS))
        else:
            data = chance.choice(YAML).encode()
            for _ in range(chance.choice((1, 1, 2, 5))):
                data = _yaml_mutant(mutator, data)
        file.write_bytes(data)
        load: Callable[[Path], object] = chance.choice((load_agents, load_agents, load_agents, load_changes))
        return data, lambda: _told(lambda: load(file))

    for number in range(5_000 if long_form else 1_000):
        cases.run(number, case)
    cases.check()


def _yaml_mutant(mutator: Mutator, data: bytes) -> bytes:
    chance = mutator.chance
    at = chance.randrange(len(data) + 1)
    if chance.random() < 0.4:
        return mutator.bytes(data)
    bits = (
        "&a ",
        "*a",
        "!!int ",
        "!x ",
        "<<: *t",
        "? ",
        "- ",
        "[",
        "{",
        "'",
        '"',
        "|",
        "\t",
        "%",
        "---\n",
        "0b_",
        "0x_",
    )
    bits += (
        '"\\ud800"',
        '"\\U00110000"',
        "9" * 5000,
        ".nan",
        "1_000",
        "1:30:30",
        "~",
        "\x07",
        "\ufeff",
        "[" * 300,
        "\n",
    )
    return data[:at] + chance.choice(bits).encode() + data[at:]


@given(st.text())
def _any_setting(text: str) -> None:
    _told(lambda: read_setting(text))
    _told(lambda: read_setting(f"max_steps={text}"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
def _any_json(value: object) -> None:
    data = json.dumps({"type": "ship", "data": value}).encode()
    raw = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=data))
    _told(lambda: _use(read(Event, "event", raw, MESSAGE_BYTES)))


def test_any_setting_and_any_json_is_read_or_refused(seed: int, long_form: bool) -> None:
    examples = 2_500 if long_form else 500
    many = settings(max_examples=examples, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    for check in (_any_setting, _any_json):
        with_seed(seed)(many(check))()


def _told(use: Callable[[], object]) -> str:
    """Return what came of it: a value, or the one error that senders are told."""
    try:
        use()
    except InvalidInput as error:
        if len(str(error)) > LONGEST_REFUSAL:
            raise AssertionError(f"a refusal of {len(str(error))} characters") from None
        pydantic_data_converter.failure_converter.to_failure(refusal(error), CONVERTER, Failure())
        return "refused"
    return "read"


def _use(value: BaseModel) -> None:
    """Do with what was read what the workflow does."""
    match value:
        case Message():
            state = _state()
            assert state.mailbox.offer(value, 0.0) == "new"
            _roll_over(state)
        case Event():
            state = _state()
            told = event_message(state, value.model_copy(update={"id": value.id or "e"}))
            assert told is not None
            check_size("what is told", told, MESSAGE_BYTES)
            state.mailbox.offer(told, 0.0)
            _roll_over(state)
        case Changes():
            try:
                _roll_over(_state(value.applied_to(HARBOUR)))
            except ValidationError as error:
                raise InvalidInput("changes", problems(AgentSpec, error)) from None
        case AgentSpec():
            _roll_over(_state(value))
        case _:
            _carry(value)


def _state(spec: AgentSpec = HARBOUR) -> AgentState:
    return AgentState(spec=spec, life="life", started=0.0)


def _roll_over(state: AgentState) -> None:
    payload = CONVERTER.to_payloads([{"resume": dump_state(state)}])[0]
    assert len(payload.data) <= 2 * 1024 * 1024
    assert load_state(Resume.model_validate_json(payload.data).resume) == state


def _carry(value: BaseModel) -> None:
    """Carry a value in a payload, as the client and activities do."""
    check_size("it", value, MESSAGE_BYTES)
    payload = CONVERTER.to_payloads([value])[0]
    again: BaseModel = CONVERTER.from_payloads([payload], [type(value)])[0]
    assert again.model_dump(mode="json") == value.model_dump(mode="json")
