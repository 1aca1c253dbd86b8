"""Disks that are full when a test wants them to be."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

DISK_BYTES = 16 * 1024 * 1024


class SmallDisk:
    """A file system of its own, held in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leaves no byte."""
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))

    def free(self) -> None:
        self._filler.unlink()


class SizeLimit:
    """No file of the processes that serve from a folder may grow; needs no rights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        self._limit(max(file.stat().st_size for file in self.folder.glob("store.sqlite3*")))

    def free(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        mark = f"DATABASE_URL=sqlite:///{self.folder}/".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(PermissionError, FileNotFoundError, ProcessLookupError):
                if mark in (process / "environ").read_bytes():
                    resource.prlimit(int(process.name), resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Skips where nothing may be mounted; `SizeLimit` is what remains there."""
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("needs the right to mount a file system")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def size_limit(folder: Path) -> Iterator[SizeLimit]:
    yield SizeLimit(folder)
