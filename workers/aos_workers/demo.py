"""`aos demo`: an agent reads documents, its worker is killed in the middle, and it answers questions all the same.

Then a team answers from the same documents, and checks what it answers.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aos.client import AosClient
from aos.errors import AgentExists, SetupError
from aos.limits import clip
from aos.message import Message, Reply
from aos.spec import AgentSpec
from aos.views import AgentStatus, TranscriptLine
from aos_workers.desk import DESK, show_team, task_on
from aos_workers.local import Local, local_aos
from aos_workers.settings import Settings, load_settings
from aos_workers.temporal.server import free_port

SHIPPED = Path(__file__).parents[2] / "examples" / "documents"

READER = AgentSpec(
    name="reader",
    purpose="Read the documents you are given and answer questions about them, with the sentences you rest on.",
    tools=["read_document", "current_time"],
    permissions=["documents.read"],
)

QUESTIONS = {
    "lighthouse-log.md": "Why did the Corvina strike the reef?",
    "expedition-report.md": "Who was the leader of the expedition?",
    "waterworks-handbook.md": "When was chlorination introduced?",
}

_WORDS_PER_SECOND = 80.0


def demo(
    *,
    documents: Sequence[Path],
    home: Path | None,
    port: int | None,
    ui_port: int | None,
    offline: bool,
    report: Callable[[str], None],
) -> int:
    """Run the demonstration and return its exit code, 0 if nothing was lost.

    Raises:
        SetupError: A document is missing, or something cannot be started.
    """
    settings = load_settings(home=home, offline=offline or None)
    if home is None:
        settings = settings.model_copy(update={"home": settings.home / "demo"})
        shutil.rmtree(settings.home, ignore_errors=True)
    shelf = _shelve(documents, settings.home / "documents")
    settings = settings.model_copy(
        update={"documents": [shelf], "offline_pause": settings.offline_pause or 1 / _WORDS_PER_SECOND}
    )
    return asyncio.run(_run(settings, sorted(shelf.iterdir()), port, ui_port, report))


def _shelve(documents: Sequence[Path], shelf: Path) -> Path:
    chosen = list(documents) or sorted(SHIPPED.glob("*.md"))
    if not chosen:
        raise SetupError("the documents that ship with AOS are not here; name some of your own: aos demo a.md b.md")
    shelf.mkdir(parents=True, exist_ok=True)
    for path in chosen:
        if not path.is_file():
            raise SetupError(f"{path} is no file")
        shutil.copy(path, shelf / path.name)
    return shelf


async def _run(
    settings: Settings, documents: Sequence[Path], port: int | None, ui_port: int | None, report: Callable[[str], None]
) -> int:
    console = Console()
    port = port or free_port()
    async with local_aos(settings, [], port=port, ui_port=ui_port or free_port(), report=report) as local:
        client = await AosClient.connect(local.address)
        try:
            await client.start(READER)
            report(f"agent {READER.name} is alive: workflow agent/{READER.name}")
        except AgentExists:
            report(f"agent {READER.name} lives on")
        summaries = await _read_all(client, local, documents, report)
        answers = await _ask_all(client, documents, report)
        status = await client.status(READER.name)
        page = await client.transcript(READER.name, limit=100)
        console.print(_conversation(page.lines))
        console.print(_costs(status))
        lost = [reply for reply in (*summaries, *answers) if reply.status != "done"]
        report(
            f"{len(summaries) + len(answers)} messages, {len(lost)} lost; handled by the agent: {status.handled}; "
            f"the worker was killed once, the agent never noticed"
        )
        asked = [QUESTIONS[path.name] for path in documents if path.name in QUESTIONS]
        others = [path.name for path in documents if path.name not in QUESTIONS]
        answer = await show_team(client, task_on(others, asked), console, report)
        if local.ui_url:
            workflows = f"{local.ui_url}/namespaces/default/workflows"
            report(f"Web UI: {workflows}/agent%2F{READER.name} and {workflows}/team%2F{DESK.name} while this runs;")
            report(f"later: aos up --home {settings.home}, where the agent and the team live on")
        return 1 if lost or answer.status != "done" else 0


async def _read_all(
    client: AosClient, local: Local, documents: Sequence[Path], report: Callable[[str], None]
) -> list[Reply]:
    """Have the agent read the documents, and kill its worker while it works on the second."""
    orders = [
        Message(id=str(uuid4()), text=f"Read the document {path.name} and summarise it.", sender="demo", stream=True)
        for path in documents
    ]

    async def read(path: Path, order: Message) -> Reply:
        report(f"asked to read {path.name}")
        reply = await client.ask(READER.name, order)
        report(f"{path.name}: {clip(reply.text, 200)}")
        return reply

    replies = [asyncio.create_task(read(path, order)) for path, order in zip(documents, orders, strict=True)]
    status = await _at_work(client, after=min(1, len(orders) - 1))
    killed = local.worker.pid
    local.worker.kill()
    report(f"killed the worker (process {killed}) with SIGKILL while the agent was: {status.doing}")
    read_all = await asyncio.gather(*replies)
    report(f"the agent went on in a new worker (process {local.worker.pid})")
    return read_all


async def _at_work(client: AosClient, after: int) -> AgentStatus:
    """Return the agent's status once it works on the message after the first `after`."""
    while True:
        status = await client.status(READER.name)
        if status.handled >= after and status.condition == "working":
            return status
        await asyncio.sleep(0.02)


async def _ask_all(client: AosClient, documents: Sequence[Path], report: Callable[[str], None]) -> list[Reply]:
    replies: list[Reply] = []
    for path in documents:
        question = QUESTIONS.get(path.name, f"What is the most important thing that {path.name} says?")
        reply = await client.ask(READER.name, Message(text=question, sender="demo"))
        report(f"{question} - {clip(reply.text, 300)}")
        replies.append(reply)
    return replies


def _conversation(lines: Sequence[TranscriptLine]) -> Table:
    table = Table(title="The conversation", title_justify="left", show_lines=True, expand=False)
    table.add_column("who", no_wrap=True)
    table.add_column("what")
    for line in lines:
        calls = ", ".join(f"{call.name}({call.arguments})" for call in line.tool_calls)
        table.add_row(line.who or line.kind, escape(clip(line.text or calls, 300)))
    return table


def _costs(status: AgentStatus) -> Table:
    table = Table(title="What it cost", title_justify="left")
    for name in ("model", "calls", "tokens read", "tokens written", "US dollars"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for spend in status.spend:
        table.add_row(
            spend.model, str(spend.calls), f"{spend.input_tokens:,}", f"{spend.output_tokens:,}", f"{spend.cost:.6f}"
        )
    return table
