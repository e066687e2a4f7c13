"""The connection pool and the transaction that handlers and endpoints work in."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import asyncpg
import msgspec

from shared.contract.events import EventData

from . import outbox
from .clock import Clock, utc_now
from .recovery import presence

CLOSE_SECONDS = 5.0

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = Any
    Pool = asyncpg.Pool


class Cause(NamedTuple):
    """What led to the events of a transaction: an earlier event, or nothing but a person."""

    event_id: str | None = None
    correlation_id: str | None = None
    trace: str | None = None
    """The W3C traceparent of whoever published that event."""


@dataclass(slots=True)
class Transaction:
    """An open transaction: its connection, its one "now", and the events it makes true.

    `repeated` says that it rebuilds what took effect before: others have heard what followed then.
    """

    connection: Connection
    service: str
    now: datetime
    cause: Cause = field(default_factory=Cause)
    repeated: bool = False

    def because_of(self, cause: Cause) -> "Transaction":
        """The same transaction, for what follows from another cause."""
        return replace(self, cause=cause)

    async def publish(self, *events: EventData) -> None:
        """Write the events to the outbox; they are published after the commit, in this order."""
        await self.publish_each([(self.cause, event) for event in events])

    async def publish_each(self, caused: Iterable[tuple[Cause, EventData]]) -> None:
        """The same for events that follow each from a cause of its own."""
        if self.repeated:
            return
        rows = [
            entry
            for cause, event in caused
            for entry in outbox.entries(
                self.service, event, self.now, cause.event_id, cause.correlation_id, cause.trace
            )
        ]
        if rows:
            await outbox.write(self.connection, rows)


class Database:
    """One service's pool; every transaction of the service begins here."""

    def __init__(self, service: str, dsn: str, *, size: int = 10, clock: Clock = utc_now) -> None:
        self.service, self.clock = service, clock
        self._dsn, self._size = dsn, size
        self._pool: Pool | None = None

    @property
    def pool(self) -> Pool:
        if self._pool is None:
            raise asyncpg.InterfaceError("the database is not open yet")
        return self._pool

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=self._size,
            command_timeout=30,
            init=self._join,
            reset=presence.stay,
            server_settings={
                "application_name": f"earshot-{self.service}",
                "idle_in_transaction_session_timeout": "60s",
                "search_path": f"{self.service}, public",
            },
        )

    async def _join(self, connection: "Connection") -> None:
        await prepare(connection)
        await presence.join(connection, self.service)

    async def close(self) -> None:
        if self._pool is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection outside the pool, for what holds one as long as the process lives."""
        connection = await asyncpg.connect(
            self._dsn,
            command_timeout=30,
            server_settings={
                "application_name": f"earshot-{self.service}-relay",
                "search_path": f"{self.service}, public",
                # Whoever holds the relay's lock and has frozen or lost its host gives it up within half a minute.
                "idle_session_timeout": "30s",
                "idle_in_transaction_session_timeout": "60s",
                "tcp_keepalives_idle": "10",
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
            },
        )
        await self._join(connection)
        return connection

    @asynccontextmanager
    async def transaction(self, cause: Cause | None = None) -> AsyncIterator[Transaction]:
        """Commits at the end, rolls back on an exception."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield Transaction(connection, self.service, self.clock(), cause or Cause())

    async def fetch(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """A read of the runtime's own tables outside any transaction."""
        return await self.pool.fetch(query, *arguments)


async def prepare(connection: "Connection") -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=msgspec.json.decode)
