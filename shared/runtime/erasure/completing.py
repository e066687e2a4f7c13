"""Forgetting a person in what every service keeps alike: events on their way out, their archive, and dead letters.

A handler forgets in its service's own tables and calls `complete`, which does the rest and answers. Nothing has to be
done in the inbox: it holds ids of events, those that producers chose as hashes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shared.contract.catalogue import BY_MODEL, EVENTS
from shared.contract.events import ErasureCompleted, EventRejected

from . import letters, marks
from .mentions import Person

if TYPE_CHECKING:
    from shared.runtime.database import Connection, Transaction


async def complete(
    tx: "Transaction",
    person: Person,
    erased_at: datetime,
    *,
    removed: Mapping[str, int],
    kept: Mapping[str, str],
    address_until: datetime | None = None,
) -> None:
    """Forget the person in the runtime's tables and publish ErasureCompleted; call it after the service's own tables.

    `removed` counts the records of each of the service's tables, `kept` says what stays and why; the first of the
    person's ids is the participant's. Until `address_until` the person's address is recognised too.
    """
    await marks.remember(tx, person, erased_at, address_until)
    emptied = await letters.empty(tx, person)
    counts = {
        "outbox": await _strip(tx.connection, "outbox", person.ids) + await _unquote(tx.connection, emptied),
        "dead_letters": len(emptied),
    }
    if await tx.connection.fetchval("SELECT to_regclass('outbox_archive') IS NOT NULL"):
        counts["outbox_archive"] = await _strip(tx.connection, "outbox_archive", person.ids)
    await tx.publish(
        ErasureCompleted(
            participant_id=person.ids[0],
            service=tx.service,
            erased_at=erased_at,
            completed_at=tx.now,
            removed={**removed, **counts},
            kept={**kept, "inbox": "ids of events, those that are no UUIDs as hashes"},
        )
    )


async def _strip(connection: "Connection", table: str, ids: Sequence[str]) -> int:
    """Take the person's words out of events; one that cannot do without them is withdrawn. Gives how many events.

    The others go out: that an interview is cancelled must be heard, and nothing in it leads to the person.
    """
    count = 0
    for event in EVENTS.values():
        if not (event.model.about and event.model.words):
            continue
        [about] = event.model.about
        if any(event.model.model_fields[name].is_required() for name in event.model.words):
            change = f"DELETE FROM {table}"  # noqa: S608 - one of our two names
        else:
            # The cause is an event too, whose id its producer chose.
            change = f"""
                UPDATE {table} SET payload = (payload::jsonb - $3::text[])::text,
                                   headers = headers - '{{causationid,correlationid}}'::text[]
                """  # noqa: S608
        status = await connection.execute(
            f"{change} WHERE type = $1 AND payload::jsonb ->> $4 = ANY ($2::text[]) AND payload::jsonb ?| $3::text[]",
            event.type,
            list(ids),
            list(event.model.words),
            about,
        )
        count += _affected(status)
    return count


async def _unquote(connection: "Connection", identifiers: Sequence[str]) -> int:
    """Announcements of these dead letters that have not gone out yet quote nothing."""
    status = await connection.execute(
        """
        UPDATE outbox
           SET payload = (payload::jsonb - 'event_id' - 'event_type' || jsonb_build_object('reason', $3::text))::text
         WHERE type = $1 AND aggregateid = ANY ($2::text[])
        """,
        BY_MODEL[EventRejected].type,
        identifiers,
        letters.REASON,
    )
    return _affected(status)


def _affected(status: str) -> int:
    """How many rows a command says it touched: "DELETE 3" are three."""
    return int(status.rpartition(" ")[2])
