"""By what an erased person is recognised later: hashes, from which nothing leads back to them."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from .mentions import Person

if TYPE_CHECKING:
    from shared.runtime.database import Connection, Transaction

_LOCK = "hashtextextended('earshot erased_marks ' || $1, 0)"


async def remember(tx: "Transaction", person: Person, erased_at: datetime, address_until: datetime | None) -> None:
    """Recognise the person's ids from now on and the address until then; who reads the marks waits for the commit."""
    await tx.connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", tx.service)
    ids, addresses = person.marks()
    await tx.connection.execute(
        """
        INSERT INTO erased_marks (mark, erased_at, expires_at)
        SELECT mark, $2::timestamptz, NULL FROM unnest($1::bytea[]) AS mark
         UNION ALL
        SELECT mark, $2::timestamptz, $4::timestamptz FROM unnest($3::bytea[]) AS mark WHERE $4 > $5
        ON CONFLICT (mark) DO UPDATE
           SET erased_at = greatest(erased_marks.erased_at, excluded.erased_at),
               expires_at = greatest(erased_marks.expires_at, excluded.expires_at)
        """,
        list(ids),
        erased_at,
        list(addresses),
        address_until,
        tx.now,
    )


async def known(tx: "Transaction", marks: Collection[bytes]) -> set[bytes]:
    """Those of the marks that are somebody's who was erased; nobody is erased until the transaction ends."""
    await tx.connection.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})", tx.service)
    rows = await tx.connection.fetch(
        "SELECT mark FROM erased_marks WHERE mark = ANY ($1::bytea[]) AND (expires_at IS NULL OR expires_at > $2)",
        list(marks),
        tx.now,
    )
    return {row["mark"] for row in rows}


async def erased_at(connection: "Connection", person: Person, now: datetime) -> datetime | None:
    """When somebody with one of these ids or this address was erased, if so; the latest of several times."""
    ids, addresses = person.marks()
    at: datetime | None = await connection.fetchval(
        """
        SELECT max(erased_at) FROM erased_marks
         WHERE mark = ANY ($1::bytea[]) AND (expires_at IS NULL OR expires_at > $2)
        """,
        list(ids | addresses),
        now,
    )
    return at


async def purge(connection: "Connection", now: datetime) -> None:
    """Forget the addresses whose events have expired."""
    await connection.execute("DELETE FROM erased_marks WHERE expires_at <= $1", now)
