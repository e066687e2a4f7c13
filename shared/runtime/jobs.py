"""Work that a service does by itself again and again, beside HTTP and the consumer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .database import Transaction
from .service import Job, Work


@dataclass(frozen=True, slots=True)
class Repeated:
    """A job made of short passes, each a transaction of its own.

    Between two passes it rests for `pause_seconds`, and longer where passes would take more than `share` of the time.
    A pass must do nothing where another instance is at it.
    """

    once: Callable[[Transaction], Awaitable[None]]
    pause_seconds: float
    share: float

    async def __call__(self, work: Work) -> None:
        while True:
            began = time.monotonic()
            async with work.database.transaction() as tx:
                await self.once(tx)
            spent = time.monotonic() - began
            await asyncio.sleep(max(self.pause_seconds, spent * (1 / self.share - 1)))


def name_of(job: Job) -> str:
    """What logs and metrics call the job: its function's name."""
    named: str = getattr(job.once if isinstance(job, Repeated) else job, "__name__")  # noqa: B009 - a Job is any callable
    return named
