"""The direction of imports: aos <- aos_activities <- aos_workflows <- aos_workers."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ["aos", "aos_activities", "aos_workflows", "aos_workers"]
FOLDERS = dict(zip(LAYERS, ["sdk", "activities", "workflows", "workers"], strict=True))


def _imports(tree: ast.AST, *, at_import: bool) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif not (at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            yield from _imports(node, at_import=at_import)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_package_imports_none_that_is_built_on_it(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    offences: list[str] = []
    for path in (ROOT / FOLDERS[layer] / layer).rglob("*.py"):
        # A command of the command line may import what it starts, inside its function.
        lazily = path.is_relative_to(ROOT / "sdk" / "aos" / "cli")
        tree = ast.parse(path.read_text())
        offences += [
            f"{path.relative_to(ROOT)}: {name}"
            for name in _imports(tree, at_import=lazily)
            if name.partition(".")[0] in above
        ]
    assert not offences


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS.values()
        for path in (ROOT / folder).rglob("*.py")
        if "os.environ" in path.read_text() or "os.getenv" in path.read_text()
    }
    allowed = {
        "workers/aos_workers/settings.py",
        # Handing the whole environment on to a child process is not reading it.
        "workers/aos_workers/local.py",
    }
    assert readers <= allowed


def test_a_worker_starts_without_the_libraries_that_few_of_its_turns_need() -> None:
    later = ["boto3", "httpx2", "jsonschema", "openai"]
    loaded = f"import sys, aos_workers.main; print([name for name in {later} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"
