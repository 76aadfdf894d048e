"""The cases that there are, read from their modules."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.measure import Sample
from bench.peer import PeerRun
from bench.place import Place
from bench.results import Chart, Target

_FOLDER = Path(__file__).parent / "cases"
_FIRST = (
    *("turns", "conversations", "flat", "history", "intake", "teams", "replies", "broadcast"),
    *("rollover", "recovery", "asleep", "starting"),
)
_REPETITIONS, _PEER_REPETITIONS = 5, 2


class _Run(Protocol):
    def __call__(self, place: Place, system: str, *, quick: bool) -> AsyncIterator[Sample]: ...


def _no_peers(quick: bool) -> list[PeerRun]:
    return []


def _no_charts(samples: Sequence[Sample]) -> list[Chart]:
    return []


@dataclass(frozen=True)
class Case:
    """A case, as README.md describes its module. `repetitions` are its own and those of the peers."""

    name: str
    about: str
    systems: tuple[str, ...]
    run: _Run
    targets: Callable[[Sequence[Sample]], list[Target]]
    repetitions: tuple[int, int]
    peers: Callable[[bool], list[PeerRun]]
    charts: Callable[[Sequence[Sample]], list[Chart]]


def load_case(name: str) -> Case:
    """Return the case of that name."""
    module = importlib.import_module(f"bench.cases.{name}")
    return Case(
        name=name,
        about=module.ABOUT,
        systems=module.SYSTEMS,
        run=module.run,
        targets=module.targets,
        repetitions=(
            getattr(module, "REPETITIONS", _REPETITIONS),
            getattr(module, "PEER_REPETITIONS", _PEER_REPETITIONS),
        ),
        peers=getattr(module, "peers", _no_peers),
        charts=getattr(module, "charts", _no_charts),
    )


def all_cases() -> list[str]:
    """Return the names of the cases, in the order of the report."""
    found = {path.stem for path in _FOLDER.glob("[a-z]*.py")}
    return [name for name in _FIRST if name in found] + sorted(found - set(_FIRST))
