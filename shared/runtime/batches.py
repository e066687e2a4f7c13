"""One batch of records is one transaction: inbox, effects, dead letters, events out, and the position reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import structlog

from . import dead_letters, inbox, positions
from .database import Database, Transaction
from .errors import Rejected, is_bad_data, is_transient
from .handlers import Handlers, Registration
from .records import Decoded, Record, Refused, decode
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
        refused = [item for item in decoded if isinstance(item, Refused)]
        reached: dict[positions.Place, int] = {}
        for record in records:
            reached[record.topic, record.partition] = record.offset + 1
        before = {place: handled[place] for place in reached if place in handled}
        try:
            outcome = await self._commit(events, refused, before, reached, isolate=False)
        except positions.Behind:
            raise
        except Exception as fault:
            if is_transient(fault):
                raise
            # One event spoils the batch: find it by giving each its own savepoint.
            log.info("batch is applied event by event", records=len(records), because=type(fault).__name__)
            outcome = await self._commit(events, refused, before, reached, isolate=True)
        self._count(outcome)
        return outcome

    async def replay(self, tx: Transaction, record: Record) -> None:
        """Handle one kept record in the open transaction.

        Raises:
            Rejected: it still cannot be handled, and why.
        """
        item = decode(record, self._topic_prefix)
        if isinstance(item, Refused):
            raise Rejected(item.reason)
        outcome = Outcome([], [], [])
        await self._apply_isolated(tx, item, outcome)
        if outcome.refused:
            raise Rejected(outcome.refused[0].reason)
        self._count(outcome)

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
                for event in events:
                    await self._apply_isolated(tx, event, outcome)
            else:
                await self._apply_together(tx, events, outcome)
            if outcome.refused:
                await dead_letters.keep(tx, self.cluster, outcome.refused)
            await positions.store(tx.connection, self.cluster, reached)
        return outcome

    async def _apply_together(self, tx: Transaction, events: Sequence[Decoded], outcome: Outcome) -> None:
        by_type: dict[str, list[Decoded]] = {}
        for event in events:
            by_type.setdefault(event.event_type.type, []).append(event)
        remembered = [event for event in events if not self._registration(event).natural_key]
        fresh = await inbox.admit(tx.connection, [event.identity for event in remembered]) if remembered else set()
        for type_name, of_type in by_type.items():
            registration = self._handlers[type_name]
            applicable = of_type if registration.natural_key else _first_of_each(of_type, fresh, outcome)
            if applicable:
                await _handle(registration, tx, applicable)
                outcome.applied.extend(applicable)

    async def _apply_isolated(self, tx: Transaction, event: Decoded, outcome: Outcome) -> None:
        registration = self._registration(event)
        try:
            async with tx.connection.transaction():
                if not registration.natural_key and not await inbox.admit(tx.connection, [event.identity]):
                    outcome.duplicates.append(event)
                    return
                await _handle(registration, tx, [event])
        except Exception as fault:
            if is_transient(fault):
                raise
            outcome.refused.append(_refusal(event, fault))
        else:
            outcome.applied.append(event)

    def _registration(self, event: Decoded) -> Registration:
        return self._handlers[event.event_type.type]

    def _count(self, outcome: Outcome) -> None:
        for event in outcome.applied:
            self._metrics.handled.labels(event.event_type.type, "applied").inc()
            if event.miskeyed:
                self._metrics.miskeyed.labels(event.event_type.type).inc()
        for event in outcome.duplicates:
            self._metrics.handled.labels(event.event_type.type, "duplicate").inc()
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


def _refusal(event: Decoded, fault: Exception) -> Refused:
    if isinstance(fault, Rejected):
        reason = str(fault)
    elif is_bad_data(fault):
        reason = f"the database refused the values: {fault.args[0]}"  # its DETAIL would quote the row
    else:
        log.error("handler failed", event_id=event.event.id, event_type=event.event_type.type, exc_info=fault)
        reason = f"the handler failed: {type(fault).__name__}: {fault}"
    return Refused(event.record, reason, event.event.id, event.event_type.type)
