"""What a planner asks its model: for the facts, for a plan, for how it goes, and for the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from aos.wire import Wire
from aos_workflows.team.course import Answer

FACTS = """A team is to do this task:

{task}
{purpose}
Before it begins, write down what is known, under four headings and nothing else:

GIVEN: what the task itself says, such as names, numbers and dates.
TO LOOK UP: what has to be found out, and where.
TO WORK OUT: what has to be computed or concluded.
GUESSES: what you remember or think likely, though nobody has checked it.

Make no plan yet."""

PLAN = """A team is to do this task:

{task}
{purpose}
What is known:

{facts}

Who is in the team:

{team}

Write a short plan as a list. Not everybody has to take part."""

NEW_FACTS = """A team works on this task, and does not get on:

{task}
{purpose}
What was known when it began:

{facts}

What was said since:

{history}

Write what is known anew, under the same headings: with what was learned since, guesses that proved true moved to where
they belong, and one new or changed guess at least."""

NEW_PLAN = """A team works on this task, and does not get on:

{task}
{purpose}
What is known now:

{facts}

The plan was:

{plan}

What was said since:

{history}

Who is in the team, and there is nobody else:

{team}

Say in a few words what went wrong, and write a short new plan as a list that avoids it."""

PROGRESS = """A team works on this task:

{task}
{purpose}
What is known:

{facts}

The plan:

{plan}

Who is in the team:

{team}

What was said since the plan was made:

{history}

Answer five questions, each with a reason. Nothing but JSON, one object of this shape:

{{"is_request_satisfied": {{"reason": "...", "answer": true or false}},
 "is_in_loop": {{"reason": "...", "answer": true or false}},
 "is_progress_being_made": {{"reason": "...", "answer": true or false}},
 "next_speaker": {{"reason": "...", "answer": one of {names}}},
 "instruction_or_question": {{"reason": "...", "answer": "..."}}}}

is_request_satisfied: is all of the task done, and done right?
is_in_loop: are the same things said or tried again and again?
is_progress_being_made: did what was said last help? At the start: true.
next_speaker: who should speak next?
instruction_or_question: what should that member be told? Speak to it, and say all that it needs to know."""

ANSWER = """A team has worked on this task:

{task}
{purpose}
What is known:

{facts}

What was said:

{history}

{end} Write the answer to the task from what was found, as you would say it to whoever asked."""

DONE = "The task is done."
UNDONE = "The task could not be brought to its end ({reason}). Say what was found, and what is missing."

_TRUTHS = ("is_request_satisfied", "is_in_loop", "is_progress_being_made")
_TEXTS = ("next_speaker", "instruction_or_question")


class Progress(Wire):
    """How it goes: the answers to the five questions, and why the first was answered so."""

    is_request_satisfied: bool
    is_in_loop: bool
    is_progress_being_made: bool
    next_speaker: str = ""
    instruction_or_question: str = ""
    reason: str = ""


def progress_schema(members: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema of a progress ledger in which one of `members` is next."""

    def entry(answer: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"reason": {"type": "string"}, "answer": answer},
            "required": ["reason", "answer"],
            "additionalProperties": False,
        }

    answers: dict[str, dict[str, Any]] = {name: {"type": "boolean"} for name in _TRUTHS}
    answers |= {"next_speaker": {"type": "string", "enum": [*members]}, "instruction_or_question": {"type": "string"}}
    return {
        "type": "object",
        "properties": {name: entry(answer) for name, answer in answers.items()},
        "required": [*answers],
        "additionalProperties": False,
    }


def read_progress(answer: Answer, members: Sequence[str]) -> Progress:
    """Return the progress ledger that a model wrote; a lone member is always the next.

    Raises:
        ValueError: It is none. What is wrong is told in words that the model can mend it by.
    """
    ledger = answer.output if isinstance(answer.output, dict) else object_in(answer.text)
    values: dict[str, Any] = {name: _answer(ledger, name) for name in (*_TRUTHS, *_TEXTS)}
    if wrong := [name for name in _TRUTHS if not isinstance(values[name], bool)]:
        raise ValueError(f"the answer to {', '.join(wrong)} must be true or false")
    if len(members) == 1:
        values["next_speaker"] = members[0]
    if not values["is_request_satisfied"]:
        if values["next_speaker"] not in members:
            raise ValueError(f"next_speaker is {values['next_speaker']!r}, and must be one of {', '.join(members)}")
        if not isinstance(values["instruction_or_question"], str):
            raise ValueError("instruction_or_question must have a text as its answer")
    texts = {name: value if isinstance(value := values[name], str) else "" for name in _TEXTS}
    satisfied = ledger.get("is_request_satisfied")
    reason = satisfied.get("reason") if isinstance(satisfied, dict) else ""
    return Progress.model_validate({**values, **texts, "reason": str(reason or "")})


def object_in(text: str) -> dict[str, JsonValue]:
    """Return the JSON object in `text`, around which a model may have written something.

    Raises:
        ValueError: There is none.
    """
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except ValueError:
            start = text.find("{", start + 1)
            continue
        except RecursionError:
            break
        if isinstance(found, dict):
            return found  # pyright: ignore[reportUnknownVariableType] - it was read from JSON
        break
    raise ValueError("one JSON object is needed, and there is none")


def _answer(ledger: dict[str, JsonValue], name: str) -> JsonValue:
    if name not in ledger:
        raise ValueError(f"{name} is missing")
    entry = ledger[name]
    return entry.get("answer") if isinstance(entry, dict) else entry
