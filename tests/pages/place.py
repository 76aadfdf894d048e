"""A folder in which commands run as a reader would type them, with an `aos up` of its own."""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aos_workers.settings import cache_folder, search_path
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import free_port
from pages.standby import aos_program

ROOT = Path(__file__).parents[2]

_UP = "AOS is up"
_UP_SECONDS = 60.0
_COMMAND_SECONDS = 60.0
_STOP_SECONDS = 40.0
_UNTIL_SECONDS = 30.0


class Place:
    """The folder. `aos` and `python` are those of this repository, `temporal` is the one that `aos up` takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self._home = folder / "home"
        self._log = folder / "up.log"
        self._port, self._ui_port = free_port(), free_port()
        self._up: subprocess.Popen[bytes] | None = None
        self._unasked = False
        programs = folder / "bin"
        for made in (self.folder, programs):
            made.mkdir()
        (programs / "temporal").symlink_to(find_temporal(cache_folder(), lambda line: None))
        (self.folder / ".venv").symlink_to(ROOT / ".venv")
        common = {"LANG": "C.UTF-8", "COLUMNS": "120", "TERM": "dumb"}
        aos = programs / "aos"
        aos.write_text(aos_program(tuple(common.items())), encoding="utf-8")
        aos.chmod(0o755)
        self._environment = {
            **common,
            "PATH": f"{programs}:{ROOT / '.venv' / 'bin'}:{search_path()}",
            "HOME": str(folder),
            "TEMPORAL_ADDRESS": f"127.0.0.1:{self._port}",
            "AOS_HOME": str(self._home),
        }

    def write(self, name: str, text: str) -> Path:
        """Write a file, and return where it is."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def run(self, command: Sequence[str], *, stdin: str = "", code: int = 0, alone: bool = False) -> str:
        """Return what a command writes, its errors too; it must end with `code`. `alone`: it speaks to no server."""
        if self._up is None and not alone:
            self.up()
            self._unasked = True
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_SECONDS,
        )
        assert done.returncode == code, f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def until(self, command: Sequence[str], text: str, *, times: int = 1) -> None:
        """Return once a command writes `text` that many times: agents work while nobody waits for them."""
        end = time.monotonic() + _UNTIL_SECONDS
        while (written := self.run(command)).count(text) < times:
            assert time.monotonic() < end, f"{shlex.join(command)} does not write {text!r}:\n{written}"

    def up(self, *arguments: str) -> str:
        """Run `aos up` in the background, in place of the one that runs; return what it has written once it is up.

        One that `run` needed before anybody asked for it is the one that is asked for.
        """
        unasked, self._unasked = self._unasked, False
        if unasked and not arguments:
            return self._log.read_text(encoding="utf-8")
        self.down()
        ports = ("--port", str(self._port), "--ui-port", str(self._ui_port))
        command = [ROOT / ".venv" / "bin" / "aos", "up", *arguments, "--home", self._home, *ports, "--offline"]
        with self._log.open("wb") as log:
            self._up = subprocess.Popen(command, cwd=self.folder, env=self._environment, stdout=log, stderr=log)
        end = time.monotonic() + _UP_SECONDS
        while _UP not in (written := self._log.read_text(encoding="utf-8")):
            if (code := self._up.poll()) is not None:
                self._up = None
                raise AssertionError(f"`aos up` ended with {code}:\n{written}")
            assert time.monotonic() < end, f"`aos up` is not up:\n{written}"
            time.sleep(0.05)
        return written

    def down(self) -> None:
        """End `aos up` as Ctrl-C would."""
        if self._up is None:
            return
        self._up.send_signal(signal.SIGINT)
        try:
            code = self._up.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._up.kill()
            self._up.wait()
            raise
        finally:
            self._up = None
        assert code == 0, f"`aos up` ended with {code}:\n{self._log.read_text(encoding='utf-8')}"


@contextmanager
def place(folder: Path) -> Generator[Place]:
    """Give a place in `folder`; what runs in it ends with the block."""
    opened = Place(folder)
    try:
        yield opened
    finally:
        opened.down()
