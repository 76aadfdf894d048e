"""The strategies, as courses: pure, and kept in the state of their task."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aos.strategy import Broadcast, BySkill, Graph, Planner, RoundRobin, Selector, Strategy, Swarm
from aos_workflows.team.courses.broadcast import BroadcastCourse
from aos_workflows.team.courses.by_skill import BySkillCourse
from aos_workflows.team.courses.graph import GraphCourse
from aos_workflows.team.courses.planner import PlannerCourse
from aos_workflows.team.courses.round_robin import RoundRobinCourse
from aos_workflows.team.courses.selector import SelectorCourse
from aos_workflows.team.courses.swarm import SwarmCourse

AnyCourse = Annotated[
    RoundRobinCourse | SelectorCourse | SwarmCourse | GraphCourse | PlannerCourse | BroadcastCourse | BySkillCourse,
    Field(discriminator="type"),
]


def course_for(
    strategy: Strategy, *, natural: bool, purpose: str = "", max_turns: int = 0, skill: str = ""
) -> AnyCourse:
    """Return how `strategy` goes about a new task.

    `natural`: the team has no termination, so that the strategy's own end holds. `purpose` is the team's: planners
    and arbiters judge by it. `max_turns`: after so many turns a planner writes its answer with what there is; 0 for no
    limit. `skill` is what the task says that it needs; empty: what the strategy names.
    """
    match strategy:
        case RoundRobin():
            return RoundRobinCourse(natural=natural)
        case Selector():
            return SelectorCourse(strategy=strategy, natural=natural)
        case Swarm():
            return SwarmCourse(natural=natural)
        case Graph():
            return GraphCourse(strategy=strategy)
        case Planner():
            return PlannerCourse(strategy=strategy, purpose=purpose, max_turns=max_turns)
        case Broadcast():
            return BroadcastCourse(strategy=strategy, purpose=purpose)
        case BySkill():
            return BySkillCourse(skill=skill or strategy.skill)
