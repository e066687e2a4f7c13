"""The SQL of mails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

if TYPE_CHECKING:
    from shared.runtime.database import Connection, Transaction

SENT_FOR, FAILED_FOR = timedelta(days=7), timedelta(days=30)
"""How long they can be looked at; then nothing says any more who was written to."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person; `key` names its occasion, and of one occasion there is one mail.

    `unsubscribe` is the address where one click ends mails of its kind (RFC 8058), `expires_at` the time after which it
    is worthless and not sent any more.
    """

    key: str
    recipient: str
    language: str
    subject: str
    text: str
    html: str
    person_id: str | None = None
    unsubscribe: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many mails wait, how many failed for good, and since when the oldest waits."""

    waiting: int
    failed: int
    oldest: datetime | None


def id_of(key: str) -> UUID:
    """The id of the mail of this occasion, the same wherever it is asked for."""
    return uuid5(NAMESPACE_URL, f"earshot mail {key}")


async def write(tx: "Transaction", *mails: Mail) -> None:
    """Have the mails sent after the commit; what was written before is not written again."""
    await tx.connection.executemany(
        """
        INSERT INTO mails (id, key, person_id, recipient, language, subject, text, html, unsubscribe, expires_at,
                           created_at, due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT DO NOTHING
        """,
        [
            (
                id_of(mail.key),
                mail.key,
                mail.person_id,
                mail.recipient,
                mail.language,
                " ".join(mail.subject.split()),
                mail.text,
                mail.html,
                mail.unsubscribe,
                mail.expires_at,
                tx.now,
            )
            for mail in mails
        ],
    )


async def forget(connection: "Connection", person_id: str, address: str | None = None) -> int:
    """Remove a person's mails, sent or not, and what went to the address; gives how many."""
    status = await connection.execute(
        "DELETE FROM mails WHERE person_id = $1 OR lower(recipient) = lower($2)", person_id, address
    )
    return int(status.removeprefix("DELETE "))


async def next_due(connection: "Connection", now: datetime) -> Any:  # noqa: ANN401 - a database row
    """The mail that is due for the longest, held until the end of the transaction; None when there is none."""
    return await connection.fetchrow(
        """
        SELECT * FROM mails WHERE state = 'waiting' AND due_at <= $1
         ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        now,
    )


async def settle(connection: "Connection", mail_id: UUID, state: str, complaint: str | None, now: datetime) -> None:
    await connection.execute(
        "UPDATE mails SET state = $2, complaint = $3, settled_at = $4, attempts = attempts + 1 WHERE id = $1",
        mail_id,
        state,
        complaint,
        now,
    )


async def postpone(connection: "Connection", mail_id: UUID, due_at: datetime, complaint: str) -> None:
    await connection.execute(
        "UPDATE mails SET due_at = $2, complaint = $3, attempts = attempts + 1 WHERE id = $1",
        mail_id,
        due_at,
        complaint,
    )


async def count(connection: "Connection") -> Waiting:
    row = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'failed') AS failed,
               min(created_at) FILTER (WHERE state = 'waiting') AS oldest
          FROM mails
        """
    )
    assert row is not None
    return Waiting(**row)


async def tidy(connection: "Connection", now: datetime) -> None:
    """Remove what was sent a week ago, and what failed a month ago."""
    await connection.execute(
        """
        DELETE FROM mails
         WHERE (state = 'sent' AND settled_at <= $1) OR (state = 'failed' AND settled_at <= $2)
        """,
        now - SENT_FOR,
        now - FAILED_FOR,
    )


async def latest(connection: "Connection", limit: int) -> Sequence[Any]:
    """The newest mails, whatever became of them."""
    return await connection.fetch("SELECT * FROM mails ORDER BY created_at DESC, id LIMIT $1", limit)


async def find(connection: "Connection", mail_id: UUID) -> Any:  # noqa: ANN401 - a database row
    return await connection.fetchrow("SELECT * FROM mails WHERE id = $1", mail_id)
