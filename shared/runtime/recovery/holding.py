"""Partitions that are not consumed, because what comes next was lost: somebody must decide whether to go on without."""

from collections.abc import Collection, Container, Iterator, Mapping

import structlog

from shared.runtime.positions import Place
from shared.runtime.telemetry import Metrics

log = structlog.get_logger(__name__)


class Holding:
    """The partitions this instance holds, each with the position reached and the oldest record Kafka still has."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lost: dict[Place, tuple[int, int]] = {}

    def __contains__(self, place: object) -> bool:
        return place in self._lost

    def __iter__(self) -> Iterator[Place]:
        return iter(self._lost)

    def hold(self, assigned: Collection[Place], known: Mapping[Place, int], oldest: Mapping[Place, int]) -> set[Place]:
        """Hold those of the assigned partitions that records are missing from; forget what was held of them before."""
        lost = {
            place: (known[place], oldest[place])
            for place in assigned
            if place in known and known[place] < oldest.get(place, 0)
        }
        self._lost = {place: gap for place, gap in self._lost.items() if place not in assigned} | lost
        for place in lost:
            log.error("partition is not consumed: records expired before they were handled", what=self._words(place))
        self._count()
        return set(lost)

    def forget(self, places: Container[Place]) -> None:
        """Another instance has them now."""
        self._lost = {place: gap for place, gap in self._lost.items() if place not in places}
        self._count()

    def accepted(self, stored: Mapping[Place, int]) -> dict[Place, int]:
        """Let go of what may go on, since the stored position has been moved; gives the positions reached before."""
        going_on = {place: reached for place, (reached, oldest) in self._lost.items() if stored.get(place, 0) >= oldest}
        self.forget(going_on)
        return going_on

    @property
    def complaint(self) -> str | None:
        """What is held and what to do; None when nothing is."""
        if not self._lost:
            return None
        lost = "; ".join(self._words(place) for place in sorted(self._lost))
        return f"{lost}. Put a newer backup back, or accept the loss: earshot restore SERVICE --accept-loss"

    def _words(self, place: Place) -> str:
        reached, oldest = self._lost[place]
        return f"{place[0]}/{place[1]}: records {reached} to {oldest - 1} expired before they were handled"

    def _count(self) -> None:
        self._metrics.held.set(len(self._lost))
