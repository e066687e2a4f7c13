"""A service with everything it has in production, relay and consumer too, on topics of its own."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from fastapi import FastAPI

from shared.runtime.database import Database
from shared.runtime.http import create_app
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.topics import create_topics
from tests.support.databases import create_database, drop_database, dsn_of
from tests.support.infra import KAFKA

T = TypeVar("T")
PATIENCE_SECONDS = 30.0


async def until(found: Callable[[], Awaitable[T]], *, what: str, patience: float = PATIENCE_SECONDS) -> T:
    """The first truthy answer; fails when there is none within half a minute, or `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (answer := await found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}; last seen: {answer!r}")
        await asyncio.sleep(0.05)
    return answer


async def always_hears_a_stop(rest: Callable[[], Awaitable[None]], wake: asyncio.Event) -> None:
    """Cancel the rest while `wake` is ending it, some steps of the event loop later each time."""
    for steps in range(5):
        resting = asyncio.ensure_future(rest())
        await asyncio.sleep(0.01)
        wake.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        accepted = resting.cancel()
        await asyncio.wait({resting})
        assert resting.cancelled() == accepted, f"cancelled after {steps} steps"


async def topic_prefix() -> str:
    """A prefix whose topics exist and belong to one test."""
    prefix = f"t{uuid4().hex[:12]}."
    await create_topics(os.environ[KAFKA], prefix=prefix, partitions=2)
    return prefix


@dataclass
class RunningService:
    """A service that consumes and publishes."""

    app: FastAPI
    settings: Settings
    database: Database
    client: httpx.AsyncClient

    async def ready(self) -> bool:
        return (await self.client.get("/readyz")).status_code == 200


@dataclass
class Stage:
    """What outlives one run of a service: its database and its topics."""

    settings: Settings
    service: Service

    @asynccontextmanager
    async def run(self, *, ready: bool = True) -> AsyncIterator[RunningService]:
        """Start the service, wait until it is ready unless it shall not be, stop it at the end."""
        database = Database(self.service.name, self.settings.database_dsn.get_secret_value(), size=6)
        app = create_app(self.service, self.settings, database=database)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
        ):
            running = RunningService(app, self.settings, database, client)
            if ready:
                await until(running.ready, what="the service to be ready")
            yield running


@asynccontextmanager
async def stage(service: Service, folder: Path, **told: Any) -> AsyncIterator[Stage]:
    """A database and topics for the service; `told` are settings of its own."""
    name = await create_database(service.name)
    (folder / "jwks.json").write_text('{"keys": []}')
    settings = service.settings(
        kafka_bootstrap=os.environ[KAFKA],
        topic_prefix=await topic_prefix(),
        jwks=str(folder / "jwks.json"),
        database_dsn=dsn_of(name, service.name),
        **told,
    )
    try:
        yield Stage(settings, service)
    finally:
        await drop_database(name)
