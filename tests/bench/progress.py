"""How far a consumer has come, as its database says, and what that cost."""

import asyncio
import time
from collections.abc import Callable

import asyncpg
import psutil

from .meters import Reading, cpu_of, cpu_of_tree

SAMPLE_SECONDS = 0.1
HANDLED = "SELECT sum(next_offset) FROM roadmap.consumer_positions"


class Progress:
    """Asks the database how many events took effect, over a connection of its own, whose CPU time is not counted."""

    def __init__(
        self, connection: "asyncpg.Connection[asyncpg.Record]", postmaster: psutil.Process, query: str = HANDLED
    ) -> None:
        self._connection, self._postmaster, self._query = connection, postmaster, query
        self._own = psutil.Process(connection.get_server_pid())

    async def read(self, *processes: psutil.Process) -> Reading:
        events = await self._connection.fetchval(self._query)
        return Reading(
            seconds=time.monotonic(),
            python=sum(cpu_of(process) for process in processes),
            postgres=cpu_of_tree(self._postmaster) - cpu_of(self._own),
            events=int(events or 0),
        )

    async def follow(
        self, *processes: psutil.Process, until: Callable[[Reading, Reading], bool], patience: float = 120
    ) -> tuple[Reading, Reading]:
        """Readings from the first one with an effect to the first one for which `until(first, last)` holds.

        Where the first effect is the last one too, from the reading before it.
        """
        deadline = time.monotonic() + patience
        before = first = await self.read(*processes)
        while time.monotonic() < deadline:
            now = await self.read(*processes)
            if not now.events:
                before = now
            elif not first.events:
                first = before if until(now, now) else now
            if now.events and until(first, now):
                return first, now
            await asyncio.sleep(SAMPLE_SECONDS)
        raise TimeoutError(f"no end after {patience:.0f} s; {now.events:,} events took effect")
