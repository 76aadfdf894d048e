"""What both are given: teams, what their members and models answer, and when the task is over. Plain data.

A reply is `{"text": ...}`, and perhaps `handoff`: whom to hand on to; `stop`: said to be the end; `called`: tools that
are called first; `tokens`: `[input, output]`; `after`: how long it takes, in seconds; `outside`: while it is written,
somebody ends the task from outside. `replies` are those of each member, in order. `model` is what the model of the
selector or planner answers. `any_order`: so many speak first, in whichever order.

Functions are data too: `{"after": {"ada": "bob"}}` names bob when ada spoke last, `{"names": [...]}` is a list of
candidates, `{"mentions": "x"}` is true when one of the messages has x in it.

Where `aos` is given, AOS does otherwise on purpose: it is what AOS does, and `why` says why.
"""

from __future__ import annotations

import json
from typing import Any

Case = dict[str, Any]

TASK = "Write about the harbour."


def said(*texts: str, **fields: Any) -> list[dict[str, Any]]:
    """Return replies of these texts, each with `fields`."""
    return [{"text": text, **fields} for text in texts]


def numbered(name: str, count: int) -> list[dict[str, Any]]:
    """Return as many replies, which say whose and the how manieth they are."""
    return said(*(f"{name} {number}" for number in range(1, count + 1)))


def many(*names: str, count: int = 6) -> dict[str, list[dict[str, Any]]]:
    """Return enough replies for each."""
    return {name: numbered(name, count) for name in names}


def over(to: str) -> dict[str, Any]:
    """Return a reply that hands on."""
    return {"text": f"over to {to}", "handoff": to}


def edge(source: str, target: str, condition: str = "", group: str = "", when: str = "all") -> dict[str, str]:
    """Return an edge of a graph."""
    return {"source": source, "target": target, "condition": condition, "group": group, "when": when}


def ledger(speaker: str, told: str, *, done: bool = False, progress: bool = True, loop: bool = False) -> str:
    """Return what a planner's model writes after a turn."""
    answers = {
        "is_request_satisfied": done,
        "is_in_loop": loop,
        "is_progress_being_made": progress,
        "next_speaker": speaker,
        "instruction_or_question": told,
    }
    return json.dumps(
        {name: {"reason": "the pier is known" if done else "so it is", "answer": a} for name, a in answers.items()}
    )


def messages(count: int) -> dict[str, Any]:
    """Return the condition that so many messages were said."""
    return {"type": "max_messages", "count": count}


def mention(text: str, *sources: str) -> dict[str, Any]:
    """Return the condition that a text was mentioned."""
    return {"type": "text_mention", "text": text, "sources": list(sources)}


def any_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Return the condition that one holds."""
    return {"type": "any", "of": list(conditions)}


def all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Return the condition that each has held."""
    return {"type": "all", "of": list(conditions)}


ROUND = {"type": "round_robin"}
SELECT = {"type": "selector"}
SWARM = {"type": "swarm"}
PLAN = {"type": "planner"}


def graph(*edges: dict[str, str], start: str = "") -> dict[str, Any]:
    """Return the strategy of a graph."""
    return {"type": "graph", "edges": list(edges), "start": [start] if start else []}


def _round_robin() -> dict[str, Case]:
    abc = many("ada", "bob", "cyd")
    return {
        "round robin of three": {"strategy": ROUND, "replies": abc, "end": messages(8)},
        "round robin of one": {"strategy": ROUND, "replies": many("ada"), "end": messages(4)},
        "round robin until turns are used up": {"strategy": ROUND, "replies": abc, "max_turns": 5},
        "turns and condition, turns first": {"strategy": ROUND, "replies": abc, "max_turns": 2, "end": messages(9)},
        "turns and condition, condition first": {"strategy": ROUND, "replies": abc, "max_turns": 9, "end": messages(3)},
        "turns and condition at once": {"strategy": ROUND, "replies": abc, "max_turns": 3, "end": messages(4)},
        "a hand-off is no matter to a round": {
            "strategy": ROUND,
            "replies": {
                "ada": [over("cyd"), *numbered("ada", 2)],
                "bob": numbered("bob", 3),
                "cyd": numbered("cyd", 3),
            },
            "end": messages(5),
        },
    }


def _conditions() -> dict[str, Case]:
    ab = many("ada", "bob")
    dear = {"ada": said("a", "a", "a", tokens=[10, 5]), "bob": said("b", "b", "b", tokens=[20, 1])}
    talk = {"ada": said("draft", "draft two", "APPROVED?", "end"), "bob": said("no", "better", "APPROVED", "end")}
    calls = {"ada": said("looked", "looked", called=["look"]), "bob": said("fine", "fine")}
    stops = {"ada": said("one", "two", "three"), "bob": [*said("go on"), {"text": "that is all", "stop": True}]}
    ends: dict[str, tuple[Any, dict[str, Any]]] = {
        "max messages": (ab, messages(4)),
        "max messages that the task alone reaches": (ab, messages(1)),
        "text mention": (talk, mention("APPROVED")),
        "text mention in the task": (talk, mention("harbour")),
        "text mention by one": (talk, mention("APPROVED", "bob")),
        "text mention by nobody but one who never says it": (talk, any_of(mention("draft", "bob"), messages(6))),
        "text mention has regard to case": (talk, any_of(mention("approved"), messages(7))),
        "text message of one": (ab, {"type": "text_message", "source": "bob"}),
        "text message, a hand-off is none": (
            {"ada": [over("bob"), *said("text")], "bob": numbered("bob", 3)},
            {"type": "text_message", "source": "ada"},
        ),
        "stop message": (stops, {"type": "stop_message"}),
        "stop message and others": (stops, any_of({"type": "stop_message"}, messages(5))),
        "tokens in total": (dear, {"type": "token_usage", "total": 36}),
        "tokens put in": (dear, {"type": "token_usage", "input": 31}),
        "tokens given out": (dear, {"type": "token_usage", "output": 11}),
        "tokens, whichever limit comes first": (dear, {"type": "token_usage", "total": 1000, "output": 6}),
        "time-out": (
            {"ada": said("a", "a"), "bob": said("b", "b", after=1.2)},
            {"type": "timeout", "after": 1.0},
        ),
        "hand-off": (
            {"ada": [*said("a"), over("user"), *said("x")], "bob": numbered("bob", 3)},
            {"type": "handoff", "target": "user"},
        ),
        "hand-off to another": (
            {"ada": [over("cyd"), over("user"), *said("x")], "bob": numbered("bob", 3)},
            {"type": "handoff", "target": "user"},
        ),
        "from outside": (
            {"ada": [*said("a"), {"text": "late", "outside": True}, *said("x")], "bob": numbered("bob", 3)},
            {"type": "external"},
        ),
        "source": (ab, {"type": "source", "sources": ["bob"]}),
        "source that is who asks": (ab, {"type": "source", "sources": ["user", "bob"]}),
        "function call": (calls, {"type": "function_call", "function": "look"}),
        "function call of another": (calls, any_of({"type": "function_call", "function": "peek"}, messages(5))),
        "function": (talk, {"type": "function", "tool": "tests/done", "does": {"mentions": "better"}}),
        "function that never holds": (
            talk,
            any_of({"type": "function", "tool": "tests/done", "does": {"mentions": "gold"}}, messages(6)),
        ),
        "either, the first": (talk, any_of(messages(2), mention("APPROVED"))),
        "either, the second": (talk, any_of(messages(9), mention("better"))),
        "either, both at once": (talk, any_of(messages(5), mention("better"))),
        "both at once": (talk, all_of(messages(5), mention("better"))),
        "both at different times": (talk, all_of(mention("draft two"), messages(6))),
        "both, the later one first in the list": (talk, all_of(messages(6), mention("draft two"))),
        "both, of which one held and does no more": (
            talk,
            any_of(all_of(mention("no"), mention("APPROVED?")), messages(9)),
        ),
        "either of two pairs": (
            talk,
            any_of(all_of(mention("gold"), messages(2)), all_of(mention("better"), messages(3))),
        ),
        "both of two choices": (
            talk,
            all_of(any_of(mention("gold"), mention("no")), any_of(messages(5), mention("end"))),
        ),
        "three in one": (talk, any_of(mention("gold"), messages(9), mention("APPROVED", "bob"))),
        "three of three": (talk, all_of(mention("no"), mention("better"), messages(4))),
        "tokens or messages": (dear, any_of({"type": "token_usage", "total": 1000}, messages(4))),
        "source and mention": (talk, all_of({"type": "source", "sources": ["bob"]}, mention("draft two"))),
        "hand-off or stop": (
            {"ada": [*said("a"), over("user")], "bob": numbered("bob", 3)},
            any_of({"type": "stop_message"}, {"type": "handoff", "target": "user"}),
        ),
    }  # fmt: skip
    return {name: {"strategy": ROUND, "replies": replies, "end": end} for name, (replies, end) in ends.items()}


def _selector() -> dict[str, Case]:
    abc = many("ada", "bob", "cyd")
    base: Case = {"strategy": SELECT, "replies": abc, "end": messages(4)}
    again = {**SELECT, "allow_repeats": True}
    after = {"after": {"user": "cyd", "cyd": "ada", "ada": "bob"}}
    return {
        "selector by a model": {**base, "model": ["bob", "ada", "cyd"]},
        "selector reads a name in a sentence": {**base, "model": ["Let it be bob.", "Now **ada**!", "cyd"]},
        "selector takes no part of a word for a name": {**base, "model": ["bobby", "cyd", "ada", "bob"]},
        "selector of two needs no model after the first": {
            "strategy": SELECT, "replies": many("ada", "bob"), "end": messages(5), "model": ["bob"],
        },
        "selector asks again where nobody is named": {**base, "model": ["hm", "who knows", "bob", "ada", "cyd"]},
        "selector asks again where several are named": {**base, "model": ["ada or bob", "bob", "cyd", "ada"]},
        "selector asks again where the same is named": {**base, "model": ["bob", "bob", "cyd", "ada"]},
        "selector lets the same go on": {
            **base, "strategy": again, "model": ["bob", "bob", "bob"],
        },
        "selector falls back on the first": {**base, "model": ["?", "?", "?", "bob", "cyd"]},
        "selector falls back on who spoke last": {**base, "model": ["bob", "?", "?", "?", "cyd"]},
        "selector with one attempt": {
            **base, "strategy": {**SELECT, "attempts": 1}, "model": ["bob", "nobody", "cyd"],
        },
        "selector by a function": {
            **base, "strategy": {**SELECT, "function": "tests/next"}, "does": after, "model": [],
        },
        "selector by a function that leaves it to the model": {
            **base,
            "strategy": {**SELECT, "function": "tests/next"},
            "does": {"after": {"user": "cyd"}},
            "model": ["ada", "bob"],
        },
        "selector by a function that names a stranger": {
            **base, "strategy": {**SELECT, "function": "tests/next"}, "does": {"after": {"user": "eve"}}, "model": [],
        },
        "selector among candidates": {
            **base,
            "strategy": {**again, "candidates": "tests/some"},
            "does": {"names": ["bob", "cyd"]},
            "model": ["cyd", "bob", "cyd"],
        },
        "selector of one candidate": {
            **base, "strategy": {**again, "candidates": "tests/some"}, "does": {"names": ["bob"]}, "model": [],
        },
        "selector of no candidates": {
            **base, "strategy": {**SELECT, "candidates": "tests/some"}, "does": {"names": []}, "model": [],
        },
        "selector of a candidate that is a stranger": {
            **base, "strategy": {**SELECT, "candidates": "tests/some"}, "does": {"names": ["eve"]}, "model": [],
        },
        "selector until turns are used up": {
            "strategy": SELECT, "replies": abc, "max_turns": 2, "model": ["cyd", "ada", "bob"],
        },
        "selector of names with a line in them": {
            "strategy": SELECT,
            "replies": many("Story_writer", "Editor"),
            "end": messages(3),
            "model": ["the Story writer", "Editor"],
        },
    }  # fmt: skip


def _swarm() -> dict[str, Case]:
    to_user = {"type": "handoff", "target": "user"}
    return {
        "swarm goes on with the same": {"strategy": SWARM, "replies": many("ada", "bob"), "end": messages(4)},
        "swarm hands on": {
            "strategy": SWARM,
            "replies": {"ada": [*said("a"), over("bob")], "bob": numbered("bob", 3)},
            "end": messages(5),
        },
        "swarm hands on and back": {
            "strategy": SWARM,
            "replies": {"ada": [over("bob"), *said("thanks")], "bob": [over("ada")]},
            "end": mention("thanks"),
        },
        "swarm in a ring": {
            "strategy": SWARM,
            "replies": {"ada": [over("bob"), over("bob")], "bob": [over("cyd"), over("cyd")], "cyd": [over("ada")]},
            "end": messages(6),
        },
        "swarm hands on to the user": {
            "strategy": SWARM,
            "replies": {"ada": [over("bob")], "bob": [*said("hm"), over("user")]},
            "end": any_of(to_user, messages(9)),
        },
        "swarm hands on to a stranger": {
            "strategy": SWARM, "replies": {"ada": [over("eve")], "bob": []}, "end": messages(9),
        },
        "swarm until turns are used up": {
            "strategy": SWARM, "replies": {"ada": [over("bob")], "bob": numbered("bob", 5)}, "max_turns": 3,
        },
    }  # fmt: skip


def _graph() -> dict[str, Case]:
    abcd = many("ada", "bob", "cyd", "dan")
    loop = {"ada": numbered("ada", 4), "bob": said("no", "no", "yes"), "cyd": said("done")}
    back = graph(edge("ada", "bob"), edge("bob", "ada", "no", "again"), edge("bob", "cyd", "yes"), start="ada")
    return {
        "graph in sequence": {
            "strategy": graph(edge("ada", "bob"), edge("bob", "cyd"), edge("cyd", "dan")), "replies": abcd,
        },
        "graph that parts": {
            "strategy": graph(edge("ada", "bob"), edge("ada", "cyd"), edge("ada", "dan")), "replies": abcd,
        },
        "graph that parts and joins": {
            "strategy": graph(edge("ada", "bob"), edge("ada", "cyd"), edge("bob", "dan"), edge("cyd", "dan")),
            "replies": abcd,
        },
        "graph of two beginnings that join": {
            "strategy": graph(edge("ada", "cyd"), edge("bob", "cyd"), edge("cyd", "dan")),
            "replies": abcd,
            "any_order": 2,
        },
        "graph where the first of two is enough": {
            "strategy": graph(
                edge("ada", "bob"), edge("ada", "cyd"), edge("bob", "dan", when="any"), edge("cyd", "dan", when="any")
            ),
            "replies": abcd,
        },
        "graph that joins ways of different lengths": {
            "strategy": graph(edge("ada", "bob"), edge("ada", "dan"), edge("bob", "cyd"), edge("cyd", "dan")),
            "replies": abcd,
        },
        "graph of ways of different lengths, each of which is enough": {
            "strategy": graph(
                edge("ada", "bob"), edge("ada", "dan", when="any"), edge("bob", "dan", when="any")
            ),
            "replies": {name: abcd[name] for name in ("ada", "bob", "dan")},
        },
        "graph with a condition that holds": {
            "strategy": graph(edge("ada", "bob", "yes"), edge("ada", "cyd", "no")),
            "replies": {**abcd, "ada": said("yes, do")},
        },
        "graph with the other condition": {
            "strategy": graph(edge("ada", "bob", "yes"), edge("ada", "cyd", "no")),
            "replies": {**abcd, "ada": said("no, not so")},
        },
        "graph with conditions that both hold": {
            "strategy": graph(edge("ada", "bob", "yes"), edge("ada", "cyd", "no")),
            "replies": {**abcd, "ada": said("yes and no")},
        },
        "graph with conditions of which none holds": {
            "strategy": graph(edge("ada", "bob", "yes"), edge("ada", "cyd", "no")),
            "replies": {**abcd, "ada": said("maybe")},
        },
        "graph that leads back until it is right": {"strategy": back, "replies": loop, "end": messages(20)},
        "graph that leads back until a condition holds": {"strategy": back, "replies": loop, "end": messages(4)},
        "graph that leads back until turns are used up": {"strategy": back, "replies": loop, "max_turns": 3},
        "graph of two groups into one": {
            "strategy": graph(
                edge("ada", "bob", group="first"),
                edge("cyd", "bob", "again", group="back"),
                edge("bob", "cyd"),
                edge("cyd", "dan", "enough"),
            ),
            "replies": {**abcd, "cyd": said("again", "again", "enough")},
            "end": messages(20),
        },
        "graph of a loop that parts and joins in it": {
            "strategy": graph(
                edge("ada", "bob"),
                edge("ada", "cyd"),
                edge("bob", "dan", group="both"),
                edge("cyd", "dan", group="both"),
                edge("dan", "ada", "again", group="back"),
                edge("dan", "eve", "enough"),
                start="ada",
            ),
            "replies": {**abcd, "dan": said("again", "enough"), "eve": said("eve")},
            "end": messages(30),
        },
        "graph that is through before a condition holds": {
            "strategy": graph(edge("ada", "bob")), "replies": abcd, "end": mention("gold"),
        },
        "graph that ends by a condition on its way": {
            "strategy": graph(edge("ada", "bob"), edge("bob", "cyd")), "replies": abcd, "end": mention("bob 1"),
        },
        "graph of one": {"strategy": graph(edge("ada", "bob", "go")), "replies": {"ada": said("stay"), "bob": []}},
    }  # fmt: skip


def _planner() -> dict[str, Case]:
    ab = many("ada", "bob")
    done = ledger("ada", "", done=True)
    return {
        "planner": {
            "strategy": PLAN,
            "replies": ab,
            "model": ["FACTS", "PLAN", ledger("bob", "Look."), ledger("ada", "Write."), done, "The pier is long."],
        },
        "planner that is done at once": {
            "strategy": PLAN, "replies": ab, "model": ["FACTS", "PLAN", done, "It is known."],
        },
        "planner that plans anew": {
            "strategy": {**PLAN, "max_stalls": 2},
            "replies": ab,
            "model": [
                "FACTS", "PLAN",
                ledger("bob", "Look."), ledger("bob", "Look.", progress=False), ledger("bob", "Look.", loop=True),
                "FACTS 2", "PLAN 2",
                ledger("ada", "Write."), done, "The pier is long.",
            ],
        },
        "planner that makes good for a stall": {
            "strategy": {**PLAN, "max_stalls": 2},
            "replies": ab,
            "model": [
                "FACTS", "PLAN",
                ledger("bob", "Look.", progress=False), ledger("ada", "Look."), ledger("bob", "Look.", progress=False),
                done, "The pier is long.",
            ],
        },
        "planner with text around its ledger": {
            "strategy": PLAN,
            "replies": ab,
            "model": ["FACTS", "PLAN", f"```json\n{ledger('bob', 'Look.')}\n```", done, "The pier is long."],
        },
        "planner that ends by a condition": {
            "strategy": PLAN,
            "replies": ab,
            "end": mention("bob 1"),
            "model": ["FACTS", "PLAN", ledger("bob", "Look.")],
        },
        "planner of one": {
            "strategy": PLAN,
            "replies": many("ada"),
            "model": ["FACTS", "PLAN", ledger("whoever", "Look."), done, "The pier is long."],
        },
    }  # fmt: skip


def _otherwise() -> dict[str, Case]:
    abc, abcd = many("ada", "bob", "cyd"), many("ada", "bob", "cyd", "dan")
    parts = graph(edge("ada", "bob"), edge("ada", "cyd"), edge("bob", "dan"), edge("cyd", "dan"))
    return {
        "a text message by anybody": {
            "strategy": ROUND,
            "replies": abc,
            "end": {"type": "text_message"},
            "aos": {"speakers": ["ada"], "stop": ["text_message"]},
            "why": "AutoGen takes the task itself for the text, and ends before anybody has spoken",
        },
        "messages of those who speak side by side count": {
            "strategy": parts,
            "replies": abcd,
            "end": messages(4),
            "aos": {"speakers": ["ada", "bob", "cyd"], "stop": ["max_messages"]},
            "why": "AutoGen shows a condition only the last of what was said side by side",
        },
        "a condition that holds with the last message of a graph": {
            "strategy": graph(edge("ada", "bob")),
            "replies": many("ada", "bob"),
            "end": mention("bob 1"),
            "aos": {"speakers": ["ada", "bob"], "stop": ["text_mention"]},
            "why": "AutoGen says that the graph is through, AOS names the condition",
        },
        "an edge that is taken twice stands for itself alone": {
            "strategy": graph(
                edge("ada", "bob", group="first"),
                edge("bob", "cyd", "again"),
                edge("bob", "dan", "again"),
                edge("cyd", "bob", group="back"),
                edge("eve", "dan"),
                start="ada",
            ),
            "replies": {**many("ada", "cyd", "dan", "eve"), "bob": said("again", "again", "enough")},
            "end": messages(30),
            "aos": {"speakers": ["ada", "bob", "cyd", "bob", "cyd", "bob"], "stop": ["through"]},
            "why": "AutoGen counts edges that were taken, and has dan join bob and eve though eve never spoke",
        },
        "of a choice, all that hold are named": {
            "strategy": ROUND,
            "replies": {"ada": numbered("ada", 3), "bob": said("no", "better")},
            "end": all_of(any_of(mention("no"), mention("better")), messages(5)),
            "aos": {"speakers": ["ada", "bob"] * 2, "stop": ["max_messages", "text_mention", "text_mention"]},
            "why": "AutoGen looks no more at a choice of which one has held",
        },
        "who spoke last by a function is not chosen again": {
            "strategy": {**SELECT, "function": "tests/next"},
            "replies": abc,
            "does": {"after": {"user": "ada"}},
            "model": ["ada", "bob", "cyd"],
            "end": messages(3),
            "aos": {"speakers": ["ada", "bob"], "stop": ["max_messages"]},
            "why": "AutoGen forgets who spoke last where its function has named it",
        },
        "a model cannot choose who is no candidate": {
            "strategy": {**SELECT, "allow_repeats": True, "candidates": "tests/some"},
            "replies": abc,
            "does": {"names": ["bob", "cyd"]},
            "model": ["ada", "bob"],
            "end": messages(2),
            "aos": {"speakers": ["bob"], "stop": ["max_messages"]},
            "why": "AutoGen lets the model choose any participant, whatever the candidates",
        },
    }


def _without_strangers(cases: dict[str, Case]) -> dict[str, Case]:
    """Return the cases of graphs, each with those members only that are in its graph."""
    found: dict[str, Case] = {}
    for name, case in cases.items():
        edges = case["strategy"]["edges"]
        used = {end for one in edges for end in (one["source"], one["target"])}
        found[name] = {**case, "replies": {one: said for one, said in case["replies"].items() if one in used}}
    return found


CASES: dict[str, Case] = {
    **_round_robin(),
    **_conditions(),
    **_selector(),
    **_swarm(),
    **_without_strangers(_graph()),
    **_planner(),
    **_otherwise(),
}
