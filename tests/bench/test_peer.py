"""How the scripts of the peers are run."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.measure import Sample
from bench.peer import Peer, PeerFailed, PeerRun, PeerUnavailable, all_peers

HEADER = "# /// script\n# requires-python = '>=3.11'\n# dependencies = []\n# ///\nimport sys\n"
SAMPLE = """{"case": "turns", "system": "made_up", "size": 1, "count": 5, "seconds": 0.5}"""
RUN = PeerRun(("--case", "turns"))


def peer(folder: Path, script: str) -> Peer:
    path = folder / "made_up.py"
    path.write_text(HEADER + script)
    return Peer(path)


async def test_the_samples_are_the_lines_of_json_among_what_a_peer_prints(tmp_path: Path) -> None:
    made_up = peer(tmp_path, f"print('hello', sys.argv[1:])\nprint('{SAMPLE}')")
    assert await made_up.run(RUN) == [Sample("turns", "made_up", 1, count=5, seconds=0.5)]


async def test_a_peer_is_told_its_case_and_the_servers(tmp_path: Path) -> None:
    expected = ["--case", "turns", "--address", "127.0.0.1:1"]
    made_up = peer(tmp_path, f"sys.exit(sys.argv[1:] != {expected!r})")
    assert await made_up.run(RUN, ["--address", "127.0.0.1:1"]) == []


async def test_a_peer_that_cannot_start_says_why_in_its_last_line(tmp_path: Path) -> None:
    made_up = peer(tmp_path, "sys.stderr.write('looking\\nnpm is not on PATH\\n')\nsys.exit(3)")
    with pytest.raises(PeerUnavailable, match=r"^npm is not on PATH$"):
        await made_up.run(RUN)


async def test_a_case_that_is_not_for_a_peer_has_no_samples(tmp_path: Path) -> None:
    assert await peer(tmp_path, "sys.exit(4)").run(RUN) == []


async def test_a_peer_that_fails_may_succeed_the_next_time(tmp_path: Path) -> None:
    made_up = peer(tmp_path, "raise ValueError('torn')")
    with pytest.raises(PeerFailed, match=r"ended early \(1\): ValueError: torn") as raised:
        await made_up.run(RUN)
    assert not isinstance(raised.value, PeerUnavailable)


def test_a_peer_names_its_packages(tmp_path: Path) -> None:
    script = tmp_path / "made_up.py"
    script.write_text('# /// script\n# dependencies = ["dbos==3.4.0", "psycopg[binary]==3.3.9"]\n# ///\n')
    assert Peer(script).dependencies == ["dbos==3.4.0", "psycopg[binary]==3.3.9"]


@pytest.mark.parametrize("found", all_peers(), ids=lambda found: found.name)
def test_every_peer_pins_its_packages(found: Peer) -> None:
    assert found.dependencies
    assert [package for package in found.dependencies if "==" not in package] == []
