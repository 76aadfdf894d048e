from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aos.app import App, installed_apps, load_app
from aos.errors import InvalidInput, InvalidTool, SetupError
from aos.spec import AgentSpec
from aos.tools import tool

SOURCE = """
from aos.app import App
from aos.tools import tool

@tool
def find_order(number: int) -> str:
    return str(number)

shop = App("shop", tools=[find_order])
number = 3
"""


@tool
def find_order(number: int) -> str:
    return str(number)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a module `aos_test_shop`, as current directory; its modules are forgotten afterwards."""
    (tmp_path / "aos_test_shop.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("aos_test_"):
            del sys.modules[name]


def test_an_app_serves_its_tools_on_a_queue_of_its_own() -> None:
    assert App("shop").task_queue == "aos-shop"
    assert App("shop", tools=[find_order]).tools == (find_order,)


def test_an_app_of_a_bad_name_is_refused() -> None:
    with pytest.raises(InvalidInput, match="two words"):
        App("two words")


def test_tools_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidTool, match="find_order"):
        App("shop", tools=[find_order, find_order])


def test_agents_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidInput, match="two called 'ada'"):
        App("shop", agents=[AgentSpec(name="ada"), AgentSpec(name="ada")])


def test_an_agent_that_wants_a_tool_its_app_lacks_is_refused_with_the_one_it_may_mean() -> None:
    wanting = AgentSpec(name="ada", tools=["shop/find_ordr", "other/find_it"])
    with pytest.raises(InvalidInput, match="did you mean 'shop/find_order'") as caught:
        App("shop", tools=[find_order], agents=[wanting])
    assert "other/" not in str(caught.value)


def test_an_app_is_loaded_from_a_module_in_the_current_directory() -> None:
    app = load_app("aos_test_shop:shop")
    assert app.name == "shop"
    assert [each.name for each in app.tools] == ["find_order"]


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("aos_test_nowhere:app", "no module 'aos_test_nowhere'"),
        ("aos_test_shop.inner:app", "no module 'aos_test_shop.inner'"),
        ("aos_test_shop:shpo", "did you mean 'shop'"),
        ("aos_test_shop:number", "is a int, not an aos.app.App; there is: shop"),
        ("aos_test_shop:", "write 'module:attribute'"),
        (":shop", "write 'module:attribute'"),
        ("./aos_test_shop.py:shop", "write 'module:attribute'"),
        ("nothing-installed", "no installed application 'nothing-installed'"),
    ],
)
def test_a_reference_that_leads_nowhere_says_why(reference: str, problem: str) -> None:
    with pytest.raises(SetupError, match=problem):
        load_app(reference)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import aos_test_missing", "needs the module 'aos_test_missing', which is not installed"),
        ("1 / 0", "importing it failed: ZeroDivisionError"),
        ("def broken(", "importing it failed: SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(project: Path, source: str, problem: str) -> None:
    (project / "aos_test_broken.py").write_text(source)
    with pytest.raises(SetupError, match=problem):
        load_app("aos_test_broken:app")


def test_installed_apps_are_found_by_name_and_imported_only_when_loaded(project: Path) -> None:
    metadata = project / "aos_test_shop-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: aos_test_shop\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[aos.apps]\nshop = aos_test_shop:shop\n")
    sys.path.insert(0, str(project))
    assert installed_apps()["shop"] == "aos_test_shop:shop"
    assert "aos_test_shop" not in sys.modules
    assert load_app("shop").name == "shop"
