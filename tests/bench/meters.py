"""CPU time and memory of processes, from the kernel's own books."""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from .figures import median

TICK_SECONDS = 0.01
"""The kernel's books know nothing smaller; a run shorter than this says nothing, but must not fail."""


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU seconds used so far by the process under test and by all of PostgreSQL, and how many events took effect."""

    seconds: float
    python: float
    postgres: float
    events: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a number of events cost between two readings."""

    events: int
    wall: float
    python: float
    postgres: float

    @property
    def per_core_second(self) -> float:
        """Events per second of CPU time, Python and PostgreSQL together."""
        return self.events / max(self.python + self.postgres, TICK_SECONDS)

    @property
    def per_second(self) -> float:
        return self.events / self.wall

    @property
    def python_us(self) -> float:
        """Microseconds of CPU per event."""
        return self.python / self.events * 1e6

    @property
    def postgres_us(self) -> float:
        return self.postgres / self.events * 1e6


def between(first: Reading, last: Reading) -> Cost:
    return Cost(
        last.events - first.events,
        last.seconds - first.seconds,
        last.python - first.python,
        last.postgres - first.postgres,
    )


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost]) -> float:
    """The median of the rounds' ratios: what disturbed one round disturbed both sides of it."""
    return median(a.per_core_second / b.per_core_second for a, b in zip(ours, theirs, strict=True))


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and its threads."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_of_tree(root: psutil.Process) -> float:
    """CPU seconds of a process, its living children, and those that ended and were waited for."""
    times = root.cpu_times()
    total = float(times.user + times.system + times.children_user + times.children_system)
    for child in root.children():
        try:
            total += cpu_of(child)
        except psutil.NoSuchProcess:
            continue
    return total


def resident_megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
