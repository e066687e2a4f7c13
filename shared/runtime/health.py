"""Whether the service can do its work, with the numbers behind the answer."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from . import migrations
from .consumer import Consumer
from .database import Database
from .lateness import Lag
from .telemetry import Metrics

ANSWER_SECONDS = 2.0
OLDEST_OUTBOX_SECONDS = 60.0
OBSERVE_EVERY_SECONDS = 5.0
STALLED_SECONDS = 30.0


class Health:
    """Checks what the service needs; each check answers within two seconds or has failed."""

    def __init__(self, database: Database, consumer: Consumer | None, metrics: Metrics) -> None:
        self._database, self._consumer, self._metrics = database, consumer, metrics
        self._outbox = self._dead_letters = 0
        self._oldest = 0.0
        self._is_migrated = False

    async def report(self) -> dict[str, Any]:
        """`ready`, every check with its detail, and the numbers lag, outbox and dead_letters."""
        checks: dict[str, Callable[[], Awaitable[str]]] = {"database": self._check_database}
        if self._consumer is not None:
            checks |= {"broker": self._check_broker, "consumer": self._check_consumer}
        checks["outbox"] = self._check_outbox
        answers = await asyncio.gather(*(_answer(check) for check in checks.values()))
        ready = all(ok for ok, _ in answers)
        self._metrics.ready.set(ready)
        return {
            "ready": ready,
            "checks": {name: {"ok": ok, "detail": detail} for name, (ok, detail) in zip(checks, answers, strict=True)},
            "lag": await self._lag(),
            "outbox": self._outbox,
            "dead_letters": self._dead_letters,
        }

    async def observe(self) -> None:
        """Keep the gauges current until cancelled."""
        while True:
            await self.report()
            await asyncio.sleep(OBSERVE_EVERY_SECONDS)

    async def _lag(self) -> int | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                lag = await self._consumer.lag() if self._consumer else Lag(0, 0)
        except Exception:  # noqa: BLE001 - an unknown lag is no fault of its own
            lag = None
        self._metrics.lag.set(lag.records if lag else math.nan)
        self._metrics.lag_seconds.set(lag.seconds if lag else math.nan)
        return lag.records if lag else None

    async def _check_database(self) -> str:
        began = time.perf_counter()
        await self._database.pool.fetchval("SELECT 1")
        if not self._is_migrated:
            name = self._database.service
            if lacking := await migrations.missing(self._database.pool, name):
                raise RuntimeError(f"the schema lacks {', '.join(lacking)}: run earshot migrate {name}")
            self._is_migrated = True  # nothing takes a migration back
        return f"answers in {(time.perf_counter() - began) * 1000:.1f} ms"

    async def _check_broker(self) -> str:
        assert self._consumer is not None
        if not await self._consumer.broker_answers(ANSWER_SECONDS):
            raise RuntimeError("does not answer")
        return "answers"

    async def _check_consumer(self) -> str:
        assert self._consumer is not None
        assigned = self._consumer.assignment()
        if not assigned:
            raise RuntimeError("no partitions are assigned yet")
        if self._consumer.holding.complaint:
            raise RuntimeError(self._consumer.holding.complaint)
        if self._consumer.fault:
            raise RuntimeError(f"records cannot be fetched: {self._consumer.fault}")
        if self._consumer.idle_seconds > STALLED_SECONDS:
            raise RuntimeError(f"records wait and none was handled for {self._consumer.idle_seconds:.0f} s")
        return f"{len(assigned)} partitions"

    async def _check_outbox(self) -> str:
        row = await self._database.pool.fetchrow(
            """
            SELECT (SELECT count(*) FROM outbox) AS waiting,
                   (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox) AS oldest,
                   (SELECT count(*) FROM dead_letters WHERE state = 'open') AS dead
            """
        )
        assert row is not None
        self._outbox, self._oldest, self._dead_letters = row["waiting"], float(row["oldest"]), row["dead"]
        self._metrics.outbox_depth.set(self._outbox)
        self._metrics.outbox_age.set(self._oldest)
        self._metrics.dead_letters.set(self._dead_letters)
        if self._oldest > OLDEST_OUTBOX_SECONDS:
            raise RuntimeError(f"{self._outbox} events wait, the oldest for {self._oldest:.0f} s")
        return f"{self._outbox} events wait"


async def _answer(check: Callable[[], Awaitable[str]]) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return True, await check()
    except TimeoutError:
        return False, f"no answer within {ANSWER_SECONDS:.0f} s"
    except (OSError, RuntimeError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        return False, str(fault) or type(fault).__name__
    except Exception as fault:  # noqa: BLE001 - readiness reports every fault instead of having one
        return False, f"{type(fault).__name__}: {fault}"
