"""A lock that a process holds on a file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """An exclusive lock on the file at `path`, which also says which process holds it.

    The kernel drops the lock when the last process that has the file open ends, however it ends. A child process that
    is given `fileno()` holds the lock as well, and goes on holding it after `close()`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Take the lock for this process; False if another holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        self.name_holder(os.getpid())
        return True

    def name_holder(self, pid: int) -> None:
        """Write into the file that the process `pid` holds the lock."""
        os.ftruncate(self.fileno(), 0)
        os.pwrite(self.fileno(), f"{pid}\n".encode(), 0)

    def holder(self) -> str:
        """Return the holder in words, for an error: `process 4711`."""
        pid = self.path.read_text().strip()
        return f"process {pid}" if pid else "another process"

    def fileno(self) -> int:
        """Return the descriptor of the locked file.

        Raises:
            ValueError: The lock is not held.
        """
        if self._fd is None:
            raise ValueError(f"the lock {self.path} is not held")
        return self._fd

    def close(self) -> None:
        """Give the lock up, unless a child process was given `fileno()`."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
