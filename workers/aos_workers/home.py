"""The folder in which one AOS keeps everything that must outlive it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aos.errors import SetupError
from aos_workers.lock import FileLock


@dataclass(frozen=True)
class Home:
    """The places under the folder `path`."""

    path: Path

    @property
    def database(self) -> Path:
        """Database file of the Temporal dev server."""
        return self.path / "temporal.db"

    @property
    def database_lock(self) -> Path:
        """File that the Temporal dev server on the database has locked."""
        return self.path / "temporal.lock"

    @property
    def worker_lock(self) -> Path:
        """File that the worker of this home's `aos up` has locked."""
        return self.path / "worker.lock"

    @property
    def blobs(self) -> Path:
        """Database file of the blob store."""
        return self.path / "blobs.db"

    @property
    def memory(self) -> Path:
        """Database file of the shared memory."""
        return self.path / "memory.db"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.path / "logs"

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold this home for one `aos up`, and create its folders.

        Raises:
            SetupError: Another process holds it, or its folder cannot be written.
        """
        lock = FileLock(self.path / "aos.lock")
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            held = lock.acquire()
        except OSError as error:
            raise SetupError(
                f"the home {self.path} cannot be written ({error.strerror}); give a folder of your own with --home"
            ) from error
        if not held:
            raise SetupError(
                f"the home {self.path} is in use by {lock.holder()}; talk to that AOS, stop it, or give another --home"
            )
        try:
            yield
        finally:
            lock.close()
