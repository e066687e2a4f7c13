"""What an operator does with dead letters: mend them, replay them in their order, discard them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from shared.runtime.auth.principals import Principal
from shared.runtime.batches import Batches
from shared.runtime.database import Database, Transaction
from shared.runtime.errors import Problem, Rejected, conflict, not_found, unprocessable
from shared.runtime.records import Record, Refused, decode

from . import search, store
from .store import Edit, KeptRecord

Result = Literal["replayed", "discarded", "failed", "waits", "closed", "missing"]

ALREADY = "its event had taken effect already"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter; `detail` says why not, or what is worth knowing."""

    id: UUID
    result: Result
    detail: str | None = None

    @property
    def problem(self) -> Problem | None:
        """The answer to somebody who asked for this one letter; None where it was done."""
        detail = self.detail or ""
        match self.result:
            case "missing":
                return not_found("dead letter", str(self.id))
            case "failed":
                return unprocessable(f"It still cannot be handled: {detail}")
            case "waits" | "closed":
                return conflict(detail)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a record would be taken as an event of the contract; its handler may still refuse it."""

    accepted: bool
    detail: str


Work = Callable[[UUID], Awaitable[Outcome]]


async def each(identifiers: Sequence[UUID], database: Database, work: Work) -> list[Outcome]:
    """Do the work on each letter, in the order of their arrival, each in a transaction of its own."""
    async with database.transaction() as tx:
        known = await search.in_order(tx.connection, identifiers)
    missing = [identifier for identifier in dict.fromkeys(identifiers) if identifier not in set(known)]
    return [await work(identifier) for identifier in known] + [Outcome(lost, "missing") for lost in missing]


async def replay(identifier: UUID, database: Database, batches: Batches, who: Principal) -> Outcome:
    """Handle the record again as its last edit says; it takes effect once, and not before what came before it."""
    async with database.transaction() as tx:
        row = await store.find(tx.connection, identifier, lock=True)
        if row is None:
            return Outcome(identifier, "missing")
        if row["state"] != "open":
            return _closed(row)
        if earlier := await store.earlier_open(tx.connection, row):
            return Outcome(
                identifier,
                "waits",
                f"Letter {earlier['number']} ({earlier['id']}) of the same topic and key came before this one and is "
                "still open; replay or discard it first.",
            )
        edits = await store.edits(tx.connection, identifier)
        try:
            applied = await batches.replay(tx, store.record_of(row, edits[-1] if edits else None))
        except Rejected as still:
            await store.note_failure(tx.connection, identifier, str(still), who.subject, tx.now)
            return Outcome(identifier, "failed", str(still))
        note = None if applied else ALREADY
        await store.close(tx, row, state="replayed", by=who.subject, note=note)
        return Outcome(identifier, "replayed", note)


async def discard(identifier: UUID, database: Database, reason: str, who: Principal) -> Outcome:
    """Put the record away for good, saying why; its bytes stay."""
    async with database.transaction() as tx:
        row = await store.find(tx.connection, identifier, lock=True)
        if row is None:
            return Outcome(identifier, "missing")
        if row["state"] != "open":
            return _closed(row)
        await store.close(tx, row, state="discarded", by=who.subject, note=reason)
        return Outcome(identifier, "discarded")


async def edit(
    tx: Transaction, identifier: UUID, mend: Callable[[KeptRecord], KeptRecord], who: Principal, *, after: int | None
) -> KeptRecord:
    """Keep a mended version beside the record as it came; `after` is how many edits the editor has seen.

    Raises:
        Problem: unknown, closed already, or edited by somebody else meanwhile.
    """
    row = await store.find(tx.connection, identifier, lock=True)
    if row is None:
        raise not_found("dead letter", str(identifier))
    if row["state"] != "open":
        raise conflict(_closed(row).detail or "")
    edits = await store.edits(tx.connection, identifier)
    if after is not None and after != len(edits):
        raise conflict(f"The letter has {len(edits)} edits, not {after}; look at it as it is now and edit that.")
    record = mend(store.record_of(row, edits[-1] if edits else None))
    new = Edit(
        number=len(edits) + 1,
        key=record.key,
        value=record.value,
        headers=record.headers,
        edited_by=who.subject,
        edited_at=tx.now,
    )
    await store.add_edit(tx.connection, identifier, new)
    return record


def judge(record: Record, topic_prefix: str) -> Verdict:
    """Whether the record is an event of the contract now."""
    item = decode(record, topic_prefix)
    if isinstance(item, Refused):
        return Verdict(accepted=False, detail=item.reason)
    kind = item.event_type.type
    if item.miskeyed:
        named = " or ".join(item.event_type.key)
        return Verdict(accepted=True, detail=f"It is an {kind}; its key is not its {named}, so its order is not kept.")
    return Verdict(accepted=True, detail=f"It is an {kind}.")


def _closed(row: dict[str, Any]) -> Outcome:
    by = f" by {row['closed_by']}" if row["closed_by"] else ""
    return Outcome(row["id"], "closed", f"This dead letter was {row['state']}{by} already.")
