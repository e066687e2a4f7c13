"""What a service builds from events alone, and so can build again from the log."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from shared.contract.events import EventData
from shared.runtime.database import Connection, Transaction


async def _nothing(_tx: Transaction) -> None:
    return


@dataclass(frozen=True, slots=True)
class Derived:
    """A service's own account of its state; the SQL is its store's.

    `empty` removes what follows from events and leaves what people entered, and what the service itself decided or
    said: that is the only place where it is written down.
    `tables` gives, by table, the query of what must be the same after a rebuild.
    `decided_on` are the events that led to such decisions; they are not handled again.
    `in_order`: events of different types must take effect in the order of the log, as those of one type do anyway.
    `settle` looks, when all is rebuilt, whether the service would say anything else now than it said last.
    """

    empty: Callable[[Connection], Awaitable[None]]
    tables: Mapping[str, str]
    decided_on: frozenset[type[EventData]] = frozenset()
    in_order: bool = False
    settle: Callable[[Transaction], Awaitable[None]] = field(default=_nothing)


@dataclass(frozen=True, slots=True)
class Digest:
    """A table's rows and a digest of them, whatever order they come in."""

    rows: int
    digest: str


async def digests(connection: Connection, tables: Mapping[str, str]) -> dict[str, Digest]:
    """The digests of what the queries give, by table."""
    found = {}
    for table, query in tables.items():
        row = await connection.fetchrow(
            f"""
            SELECT count(*) AS rows,
                   md5(coalesce(string_agg(md5(given::text), '' ORDER BY md5(given::text)), '')) AS digest
              FROM ({query}) AS given
            """  # noqa: S608 - the service's own text
        )
        assert row is not None
        found[table] = Digest(row["rows"], row["digest"])
    return found
