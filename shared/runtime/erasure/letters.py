"""Dead letters about people who were erased: that they came and how they ended stays, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.contract.catalogue import EVENTS
from shared.runtime.dead_letters import headers as kept_headers
from shared.runtime.dead_letters import store as dead_letters
from shared.runtime.records import Record, Refused

from . import marks as erased_marks
from .mentions import Person, marks_in

if TYPE_CHECKING:
    from shared.runtime.database import Transaction

REASON = "it was about a person who asked to be forgotten; nothing of it was kept"
CLOSED_BY = "erasure"

_CHUNK = 100
"""Letters held at once; each may have a megabyte."""


@dataclass(frozen=True, slots=True)
class _Blank:
    """A record's place without the record."""

    topic: str
    partition: int
    offset: int
    key: None = None
    value: None = None
    headers: tuple[()] = ()


async def keep(tx: "Transaction", cluster: str, refused: Sequence[Refused]) -> None:
    """Keep what was refused; of a letter that names somebody who was erased only that it came."""
    marks = [_marks(letter) for letter in refused]
    erased = await erased_marks.known(tx, set().union(*marks))
    blank = [not erased.isdisjoint(its) for its in marks]
    letters = [_blanked(letter) if is_blank else letter for letter, is_blank in zip(refused, blank, strict=True)]
    await dead_letters.keep(tx, cluster, letters)
    for record in (letter.record for letter, is_blank in zip(letters, blank, strict=True) if is_blank):
        row = await tx.connection.fetchrow(
            """
            UPDATE dead_letters SET erased_at = $5, state = 'erased'
             WHERE cluster = $1 AND topic = $2 AND partition = $3 AND "offset" = $4 AND state = 'open'
            RETURNING *
            """,
            cluster,
            record.topic,
            record.partition,
            record.offset,
            tx.now,
        )
        if row is not None:
            await dead_letters.close(tx, dict(row), state="erased", by=CLOSED_BY, note=None)


async def empty(tx: "Transaction", person: Person) -> list[str]:
    """Take everything out of the letters that mention the person, open and closed ones; gives their ids."""
    written = """
        SELECT id, key, value, headers, event_id, event_type, reason, complaint, note
          FROM dead_letters WHERE erased_at IS NULL
         UNION ALL
        SELECT letter, key, value, headers, NULL, NULL, NULL, NULL, NULL FROM dead_letter_edits
        """
    about_them = {
        row["id"] async for row in tx.connection.cursor(written, prefetch=_CHUNK) if person.is_in(*_contents(dict(row)))
    }
    await tx.connection.execute("DELETE FROM dead_letter_edits WHERE letter = ANY ($1::uuid[])", about_them)
    emptied = await tx.connection.fetch(
        """
        UPDATE dead_letters
           SET key = NULL, value = NULL, headers = '[]', event_id = NULL, key_digest = NULL, complaint = NULL,
               event_type = CASE WHEN event_type = ANY ($4::text[]) THEN event_type END,
               reason = $2, note = NULL, erased_at = $3, state = CASE state WHEN 'open' THEN 'erased' ELSE state END
         WHERE id = ANY ($1::uuid[])
        RETURNING new.*, old.state = 'open' AS was_open
        """,
        about_them,
        REASON,
        tx.now,
        list(EVENTS),
    )
    for row in emptied:
        if row["was_open"]:
            await dead_letters.close(tx, dict(row), state="erased", by=CLOSED_BY, note=None)
    return [str(row["id"]) for row in emptied]


def _blanked(letter: Refused) -> Refused:
    place: Record = _Blank(letter.record.topic, letter.record.partition, letter.record.offset)
    return Refused(place, REASON, None, _known_type(letter.event_type))


def _known_type(name: str | None) -> str | None:
    """The type as stated, unless the sender invented it."""
    return name if name in EVENTS else None


def _marks(letter: Refused) -> set[bytes]:
    record = letter.record
    return marks_in(record.key, record.value, letter.reason, *(part for header in record.headers for part in header))


def _contents(row: Mapping[str, Any]) -> list[bytes | str | None]:
    """Everything in a letter or an edit that somebody wrote."""
    names = ("key", "value", "event_id", "event_type", "reason", "complaint", "note")
    headers = kept_headers.from_json(row["headers"])
    return [*(row[name] for name in names), *(part for header in headers for part in header)]
