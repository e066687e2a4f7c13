"""One batch of records is one transaction: inbox, effects, dead letters, events out, and the position reached."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import structlog

from . import inbox, positions
from .database import Database, Transaction
from .dead_letters.refusals import refusal
from .erasure import letters as erased_letters
from .errors import Rejected, is_transient
from .handlers import Handlers, Registration
from .records import Decoded, Record, Refused, decode, last_of_each
from .telemetry import Metrics, processing

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Outcome:
    """What became of a batch's records."""

    applied: list[Decoded]
    duplicates: list[Decoded]
    refused: list[Refused]


class Batches:
    """Applies batches exactly once; holds no connection of its own."""

    def __init__(
        self, database: Database, handlers: Handlers, metrics: Metrics, *, cluster: str = "", topic_prefix: str = ""
    ) -> None:
        self._database, self._handlers, self._metrics = database, handlers, metrics
        self.cluster, self._topic_prefix = cluster, topic_prefix

    async def apply(
        self, records: Sequence[Record], handled: Mapping[positions.Place, int] = MappingProxyType({})
    ) -> Outcome:
        """Apply the records in their order.

        Raises:
            positions.Behind: the database was put back behind `handled`; nothing took effect.
            Exception: a fault of the infrastructure; nothing took effect and the same call may succeed later.
        """
        decoded = [decode(record, self._topic_prefix) for record in records]
        events = [item for item in decoded if isinstance(item, Decoded)]
        refused = [item for item in decoded if isinstance(item, Refused) and self._handlers.keeps_unreadable]
        reached = {place: record.offset + 1 for place, record in last_of_each(records).items()}
        before = {place: handled[place] for place in reached if place in handled}
        try:
            outcome = await self._commit(events, refused, before, reached, isolate=False)
        except positions.Behind:
            raise
        except Exception as fault:
            if is_transient(fault):
                raise
            # One event spoils the batch: find it by halves.
            log.info("batch is applied around what fails", records=len(records), because=type(fault).__name__)
            outcome = await self._commit(events, refused, before, reached, isolate=True)
        self._count(outcome)
        return outcome

    async def replay(self, tx: Transaction, record: Record) -> bool:
        """Handle one kept record in the open transaction; false when its event had taken effect already.

        Raises:
            Rejected: it still cannot be handled, and why.
        """
        item = decode(record, self._topic_prefix)
        if isinstance(item, Refused):
            raise Rejected(item.reason)
        outcome = Outcome([], [], [])
        await self._apply_around(tx, [item], outcome)
        if outcome.refused:
            raise Rejected(outcome.refused[0].reason)
        self._count(outcome)
        return bool(outcome.applied)

    async def repeat(self, tx: Transaction, records: Sequence[Record]) -> Outcome:
        """Let records that took effect before do so once more, in the open transaction; keeps no dead letters."""
        decoded = [decode(record, self._topic_prefix) for record in records]
        outcome = Outcome([], [], [item for item in decoded if isinstance(item, Refused)])
        await self._apply_around(tx, [item for item in decoded if isinstance(item, Decoded)], outcome)
        return outcome

    async def _commit(
        self,
        events: Sequence[Decoded],
        refused: Sequence[Refused],
        before: dict[positions.Place, int],
        reached: dict[positions.Place, int],
        *,
        isolate: bool,
    ) -> Outcome:
        outcome = Outcome([], [], list(refused))
        async with self._database.transaction() as tx:
            await positions.check(tx.connection, self.cluster, before)
            if isolate:
                await self._apply_around(tx, events, outcome)
            else:
                await self._apply_together(tx, events, outcome)
            if outcome.refused:
                await erased_letters.keep(tx, self.cluster, outcome.refused)
            await positions.store(tx.connection, self.cluster, reached)
        return outcome

    async def _apply_together(self, tx: Transaction, events: Sequence[Decoded], outcome: Outcome) -> None:
        by_type = _by_type(events)
        remembered = [
            event for name, of_type in by_type.items() if not self._handlers[name].natural_key for event in of_type
        ]
        fresh = await inbox.admit(tx.connection, [event.identity for event in remembered]) if remembered else set()
        for type_name, of_type in by_type.items():
            registration = self._handlers[type_name]
            applicable = of_type if registration.natural_key else _first_of_each(of_type, fresh, outcome)
            if applicable:
                await _handle(registration, tx, applicable)
                outcome.applied.extend(applicable)

    async def _apply_around(self, tx: Transaction, events: Sequence[Decoded], outcome: Outcome) -> None:
        """Halve until what fails stands alone: one bad event of n costs about 2·log2(n) savepoints, not n."""
        part = Outcome([], [], [])
        try:
            async with tx.connection.transaction():
                await self._apply_together(tx, events, part)
        except Exception as fault:
            if is_transient(fault):
                raise
            if len(events) == 1:
                outcome.refused.append(refusal(events[0], fault))
                return
            middle = len(events) // 2
            await self._apply_around(tx, events[:middle], outcome)
            await self._apply_around(tx, events[middle:], outcome)
        else:
            outcome.applied += part.applied
            outcome.duplicates += part.duplicates

    def _count(self, outcome: Outcome) -> None:
        for type_name, events in _by_type(outcome.applied).items():
            self._metrics.handled.labels(type_name, "applied").inc(len(events))
            if miskeyed := sum([event.miskeyed for event in events]):
                self._metrics.miskeyed.labels(type_name).inc(miskeyed)
        for type_name, events in _by_type(outcome.duplicates).items():
            self._metrics.handled.labels(type_name, "duplicate").inc(len(events))
        for letter in outcome.refused:
            self._metrics.handled.labels(letter.event_type or "unknown", "rejected").inc()
            log.warning(
                "record is kept as a dead letter",
                topic=letter.record.topic,
                partition=letter.record.partition,
                offset=letter.record.offset,
                event_id=letter.event_id,
                event_type=letter.event_type,
                reason=letter.reason,
            )


async def _handle(registration: Registration, tx: Transaction, events: Sequence[Decoded]) -> None:
    first = events[0].event
    with (
        processing(f"process {registration.event_type.topic}", [event.event.trace for event in events]),
        structlog.contextvars.bound_contextvars(event_type=registration.event_type.type, event_id=first.id),
    ):
        await registration.handle(tx, [event.event for event in events])
        log.debug("handled", events=len(events))


def _by_type(events: Iterable[Decoded]) -> dict[str, list[Decoded]]:
    found: dict[str, list[Decoded]] = {}
    for event in events:
        found.setdefault(event.event_type.type, []).append(event)
    return found


def _first_of_each(events: Sequence[Decoded], fresh: set[tuple[str, str]], outcome: Outcome) -> list[Decoded]:
    """The events whose identity is new, each once; the rest are duplicates."""
    applicable = []
    for event in events:
        if event.identity in fresh:
            fresh.discard(event.identity)
            applicable.append(event)
        else:
            outcome.duplicates.append(event)
    return applicable
