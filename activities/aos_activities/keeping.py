"""What a team keeps in the store: long texts, and what came of tasks that its state has no room for."""

from __future__ import annotations

from pydantic import Field
from temporalio import activity

from aos.errors import TerminalModelError
from aos.message import Reply
from aos.store import BlobStore, ref_of
from aos.wire import Wire
from aos_activities.models.registry import ProviderRegistry


class KeepReplies(Wire):
    """Replies to tasks, of one life of a team."""

    life: str
    replies: list[Reply] = Field(default_factory=list[Reply])


class FindTaskReply(Wire):
    """Asks what came of a task of a team's life."""

    life: str
    task: str


class CheckTeam(Wire):
    """Asks whether the workers can call `models`."""

    models: list[str] = Field(default_factory=list[str])


class TeamChecked(Wire):
    """What the workers say to a team: what is wrong with it, and whether the server has AOS's search attributes."""

    problems: list[str] = Field(default_factory=list[str])
    search_attributes: bool = False


class KeepingActivities:
    """Keeps what teams say.

    Args:
        search_attributes: Whether the server has AOS's search attributes.
    """

    def __init__(self, store: BlobStore, registry: ProviderRegistry, *, search_attributes: bool = False) -> None:
        self._store = store
        self._registry = registry
        self._search_attributes = search_attributes

    @activity.defn(name="check_team")
    async def check_team(self, request: CheckTeam) -> TeamChecked:
        """Return what is wrong with the models that a team names."""
        problems: list[str] = []
        for name in request.models:
            try:
                self._registry.find(name)
            except TerminalModelError as error:
                problems.append(f"model: {error}")
        return TeamChecked(problems=problems, search_attributes=self._search_attributes)

    @activity.defn(name="keep_text")
    async def keep_text(self, text: str) -> str:
        """Store a text and return its reference."""
        data = text.encode()
        await self._store.save([data])
        return ref_of(data)

    @activity.defn(name="keep_replies")
    async def keep_replies(self, request: KeepReplies) -> None:
        """Store what came of tasks, to be found by the tasks' ids."""
        blobs = {reply.id: reply.model_dump_json().encode() for reply in request.replies}
        links = {_link(request.life, task): ref_of(data) for task, data in blobs.items()}
        await self._store.save(blobs.values(), links)

    @activity.defn(name="find_task_reply")
    async def find_task_reply(self, request: FindTaskReply) -> Reply | None:
        """Return what came of a task, or None where that is not known."""
        ref = await self._store.follow(_link(request.life, request.task))
        return Reply.model_validate_json(await self._store.load(ref)) if ref else None


def _link(life: str, task: str) -> str:
    return f"task/{life}/{task}"
