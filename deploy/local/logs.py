"""Showing the processes' log files."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.local.errors import Say

LAST_LINES = 30
POLL_SECONDS = 0.3
OPENING_BYTES = 100_000


class LogReader:
    """The complete lines that were added to one log since the last look."""

    def __init__(self, file: Path, *, from_end: bool) -> None:
        self._file = file
        self._position = file.stat().st_size if from_end and file.exists() else 0
        self._rest = b""

    def lines(self) -> Iterator[str]:
        try:
            size = self._file.stat().st_size
        except FileNotFoundError:
            return
        if size < self._position:  # a new file took its place
            self._position, self._rest = 0, b""
        with self._file.open("rb") as log:
            log.seek(self._position)
            content = self._rest + log.read()
            self._position = log.tell()
        *complete, self._rest = content.split(b"\n")
        for line in complete:
            yield line.decode("utf-8", "replace")


def last_lines(file: Path, count: int = LAST_LINES) -> list[str]:
    """The last lines of a log, none if there is no log."""
    if not file.exists():
        return []
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - OPENING_BYTES))
        return [line.decode("utf-8", "replace").rstrip("\n") for line in deque(log, count)]


def follow(files: Sequence[Path], say: Say) -> None:
    """Say every line that is added to the logs, each with its process's name, until interrupted."""
    readers = [(file.stem, LogReader(file, from_end=True)) for file in files]
    while True:
        for name, reader in readers:
            for line in reader.lines():
                say(f"{name:<10} {line}")
        time.sleep(POLL_SECONDS)
