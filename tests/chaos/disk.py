"""A disk that can be full: a small file system in memory, for those who may mount one."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

_PAGE = 4096
_KIND = "aos-chaos"
"""Begins the name of a mount, which ends with its process: those of one that was killed can be taken away."""

_MOUNTS = Path("/proc/mounts")


class Disk:
    """A file system at `path`. `mounted` is False where there is none and `path` is a plain folder."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path = path
        self.mounted = False
        self._size = megabytes * 1024 * 1024

    @asynccontextmanager
    async def there(self) -> AsyncGenerator[None]:
        """Mount it, if that is allowed, until the block ends."""
        await _remove_left_over()
        self.path.mkdir(parents=True, exist_ok=True)
        name = f"{_KIND}-{os.getpid()}"
        self.mounted = await _run("mount", "-t", "tmpfs", "-o", f"size={self._size}", name, str(self.path))
        try:
            yield
        finally:
            if self.mounted:
                await _run("umount", "--lazy", str(self.path))

    async def fill(self) -> None:
        """Take away all the space that is left."""
        room = os.statvfs(self.path)
        used = (room.f_blocks - room.f_bfree) * room.f_frsize
        while not await self._resize(max(used, _PAGE)):
            used += 16 * _PAGE  # It has grown meanwhile.
        self._check_full()

    async def free(self) -> None:
        """Give the space back."""
        assert await self._resize(self._size), "the space cannot be given back"

    async def _resize(self, size: int) -> bool:
        return await _run("mount", "-o", f"remount,size={size}", str(self.path))

    def _check_full(self) -> None:
        probe = self.path / "probe"
        try:
            # What little is left is taken by this file, which stays until the next time.
            with probe.open("ab", buffering=0) as file:
                for _ in range(64):
                    file.write(b"x" * _PAGE)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return
            raise
        raise AssertionError(f"{self.path} should be full")


async def may_mount(folder: Path) -> bool:
    """Whether this process may mount a file system."""
    disk = Disk(folder, 1)
    async with disk.there():
        return disk.mounted


async def _remove_left_over() -> None:
    """Unmount the disks of runs that were killed: pytest cannot remove their folders otherwise."""
    for line in _MOUNTS.read_text().splitlines() if _MOUNTS.exists() else []:
        name, path = line.split()[:2]
        kind, _, pid = name.rpartition("-")
        if kind == _KIND and not Path("/proc", pid).exists():
            await _run("umount", "--lazy", path)


async def _run(*command: str) -> bool:
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
    except FileNotFoundError:
        return False
    return await process.wait() == 0
