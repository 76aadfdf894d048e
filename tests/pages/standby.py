"""`aos` without its second of imports: a process that has made them once forks for each command.

What runs in the fork is the command itself, with the caller's arguments, environment, folder and streams; only the
start and the end of an interpreter are missing, which `tests/sdk` shows with real processes.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

_IMPORTED = (
    "aos.cli.app",
    "aos.client",
    "aos.manifest",
    "pydantic.plugin._loader",
    "rich.console",
    "rich.table",
    "rich.text",
    "typer._adapters",
    "typer._completion_shared",
    "yaml",
)
"""What commands import as they run."""

_PROGRAM = """\
#!{python} -IS
import os, socket, sys

with socket.socket(socket.AF_UNIX) as line:
    line.connect({line!r})
    environment = [os.fsencode(f"{{name}}={{value}}") for name, value in os.environ.items()]
    words = [os.fsencode(word) for word in (os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:])]
    socket.send_fds(line, [b"."], [0, 1, 2])
    line.sendall(b"\\0".join([*words, *environment]))
    line.shutdown(socket.SHUT_WR)
    code = line.recv(8)
sys.exit(int(code) if code else "aos: it ended without an exit code")
"""


@cache
def aos_program(environment: tuple[tuple[str, str], ...]) -> str:
    """Return a program that does what `aos` does. What it needs is started in `environment`, and ends with us."""
    folder = tempfile.TemporaryDirectory(prefix="aos-")  # a socket's path has to be short
    line = Path(folder.name) / "line"
    server = subprocess.Popen(
        [sys.executable, "-m", "pages.standby", str(line)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**dict(environment), "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert server.stdout and server.stdout.readline(), "the stand-in of `aos` did not start"
    atexit.register(folder.cleanup)
    atexit.register(server.communicate)  # which ends its standard input, and waits
    return _PROGRAM.format(python=sys.executable, line=str(line))


def _serve(path: str) -> None:
    """Run a command for each caller, until standard input ends."""
    for name in _IMPORTED:
        import_module(name)
    gc.freeze()  # or each fork would copy what it only looks through
    alive = os.dup(0)
    with socket.create_server(path, family=socket.AF_UNIX) as listener:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        running = 0
        while alive not in select.select([listener, alive], [], [])[0]:
            caller, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                os.close(alive)
                _command(caller)
            caller.close()
            running += 1
            while running and os.waitpid(-1, os.WNOHANG)[0]:
                running -= 1


def _command(caller: socket.socket) -> NoReturn:
    code = 1
    try:
        _, streams, _, _ = socket.recv_fds(caller, 1, 3)
        with caller.makefile("rb") as received:
            folder, count, *words = map(os.fsdecode, received.read().split(b"\0"))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        arguments, environment = words[: int(count)], words[int(count) :]
        os.chdir(folder)
        os.environ.clear()
        os.environ.update({name: value for name, _, value in (pair.partition("=") for pair in environment)})
        sys.argv = ["aos", *arguments]
        code = _ended()
    except BaseException:  # noqa: BLE001 - whatever a command fails with is told, as its interpreter would
        traceback.print_exc()
    finally:
        caller.sendall(str(code).encode())
        os._exit(code)


def _ended() -> int:
    from aos.cli import main

    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1])
