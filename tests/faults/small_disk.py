"""A disk that can be filled: a tmpfs of a few hundred megabytes under the database, and a balloon on it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BALLOON = "balloon"


class SmallDisk:
    """Where it cannot be mounted, `missing` says why and everything works without it."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder, self._megabytes = folder, megabytes
        self.missing: str | None = "it is not mounted"

    def mount(self) -> None:
        if os.geteuid() != 0:
            self.missing = "only root may mount the small disk that is to be filled"
            return
        options = f"size={self._megabytes}m,mode=0755"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.missing = f"a tmpfs cannot be mounted here: {done.stderr.strip()}" if done.returncode else None

    def unmount(self) -> None:
        if self.missing is None:
            subprocess.run(["umount", "--lazy", str(self._folder)], check=True)
            self.missing = "it is not mounted"

    @contextmanager
    def full(self) -> Iterator[int]:
        """Fill it to the last page; gives how many bytes that took."""
        balloon = self._folder / BALLOON
        with balloon.open("wb") as file:
            free = os.statvfs(self._folder)
            taken = free.f_bavail * free.f_frsize
            os.posix_fallocate(file.fileno(), 0, taken)
        try:
            yield taken
        finally:
            balloon.unlink()
