"""How long after their publication events are handled, for people who watch."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from .positions import Place


class Timed(Protocol):
    """What is used of a record; its timestamp in milliseconds."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def timestamp(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Lag:
    """Records published but not handled yet, and how many seconds ago the oldest was published, as far as we know."""

    records: int
    seconds: float


class Lateness:
    """The age of what waits, partition by partition; `clock` gives seconds since 1970, as Kafka's timestamps do."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._handled: dict[Place, tuple[float, float]] = {}
        self._waiting_since: dict[Place, float] = {}

    def handled(self, records: Iterable[Timed]) -> None:
        """Tell what was handled; the last record of each partition says it for all of them."""
        now = self._clock()
        for record in records:
            self._handled[record.topic, record.partition] = now, record.timestamp / 1000

    def seconds(self, waiting: Mapping[Place, int]) -> float:
        """The greatest age over the partitions; 0 when nothing waits.

        What was handled last says how old the next record is, unless nothing was handled since records wait: then they
        are as old as their waiting.
        """
        now = self._clock()
        self._waiting_since = {
            place: self._waiting_since.get(place, now) for place, records in waiting.items() if records
        }
        ages = [0.0]
        for place, since in self._waiting_since.items():
            handled_at, published_at = self._handled.get(place, (0.0, 0.0))
            ages.append(now - (published_at if handled_at >= since else since))
        return max(ages)
