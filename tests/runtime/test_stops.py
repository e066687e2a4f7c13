"""A consumer that stops moving is started again; a service that is told to stop finishes what is in flight."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import httpx
import pytest

from shared.runtime import consumer, http
from shared.runtime.database import Database
from shared.runtime.recovery.rebuild import connected
from shared.runtime.recovery.restore import look
from shared.runtime.relay import Relay
from shared.runtime.serve import load
from shared.runtime.service import Work
from shared.runtime.telemetry import Metrics
from tests.flow.story import publish, story
from tests.runtime.foreign import Foreign, until_handled
from tests.support.catching_up import run_through, until_it_waits
from tests.support.infra import free_port
from tests.support.running import Stage, always_hears_a_stop, stage, until


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is long for a test."""
    monkeypatch.setattr(consumer, "WATCH_SECONDS", 0.2)
    monkeypatch.setattr(consumer, "STALL_SECONDS", 2.0)


@pytest.mark.usefixtures("impatient")
async def test_a_consumer_whose_loop_died_starts_again(staged: Stage) -> None:
    """When the task that takes records out ends without a word while records wait, the consumer starts anew."""
    foreign = Foreign(staged)
    async with staged.run() as service:
        foreign.measure(1, "before")
        await until_handled(service, 1)
        for task in service.app.state.consumer._subscriber.tasks:
            task.cancel()
        foreign.measure(2, "after")
        await until_handled(service, 2)


@pytest.mark.usefixtures("impatient")
async def test_a_consumer_whose_fetcher_died_starts_again(staged: Stage) -> None:
    """The same when aiokafka's own fetching ends."""
    foreign = Foreign(staged)
    async with staged.run() as service:
        foreign.measure(1, "before")
        await until_handled(service, 1)
        service.app.state.consumer._consumer._fetcher._fetch_task.cancel()
        foreign.measure(2, "after")
        await until_handled(service, 2)


async def test_a_stop_finishes_what_is_in_flight(tmp_path: Path) -> None:
    """On SIGTERM in the middle of a batch the batch commits, its offsets too, and nothing is handled twice."""
    async with stage(load("kpi"), tmp_path) as kpi:
        publish(kpi.settings, [event for event in story(4) if type(event).__name__ == "KpiMeasured"], seed=4)
        await run_through(kpi)
        dsn = kpi.settings.database_dsn.get_secret_value()
        async with held(dsn) as holder:
            publish(kpi.settings, [event for event in story(5) if type(event).__name__ == "KpiMeasured"], seed=5)
            async with process(kpi) as (running, url):
                await until_it_waits(kpi, "earshot-kpi")
                running.terminate()
                await until(lambda: is_closed(url), what="the service to begin its stop")
                assert running.returncode is None
                await holder.execute("COMMIT")
                await running.wait()
        async with connected("kpi", dsn) as connection:
            standings = (await look(kpi.service, connection, kpi.settings)).standings
        moved = [(standing.handled, standing.committed) for standing in standings if standing.handled]
        assert moved
        assert [handled for handled, _ in moved] == [committed for _, committed in moved]


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that does not end when it is told to is left behind after a while, instead of holding up the stop."""
    monkeypatch.setattr(http, "STOP_SECONDS", 0.5)
    released = asyncio.Event()

    async def deaf(_work: Work) -> None:
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()

    async with stage(replace(load("kpi"), jobs=(deaf,)), tmp_path) as kpi:
        async with asyncio.timeout(60) as patience:
            async with kpi.run():
                pass
        released.set()
        assert not patience.expired()


async def test_a_relay_that_is_just_waking_hears_a_stop(tmp_path: Path) -> None:
    """A cancellation that meets the end of its rest is not lost: it would go on for ever."""
    async with stage(load("kpi"), tmp_path) as kpi:
        relay = Relay(Database("kpi", ""), kpi.settings, Metrics())
        await always_hears_a_stop(relay._wait, relay._wake)


@asynccontextmanager
async def held(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A transaction that every batch of measurements must wait for."""
    holder = await asyncpg.connect(dsn, server_settings={"search_path": "kpi"})
    await holder.execute("BEGIN")
    await holder.execute("SELECT FROM kpis FOR UPDATE")
    yield holder
    await holder.close()


@asynccontextmanager
async def process(staged: Stage) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The service as it is run in production."""
    port = free_port()
    environment = os.environ | {
        "EARSHOT_DATABASE_DSN": staged.settings.database_dsn.get_secret_value(),
        "EARSHOT_KAFKA_BOOTSTRAP": staged.settings.kafka_bootstrap,
        "EARSHOT_TOPIC_PREFIX": staged.settings.topic_prefix,
        "EARSHOT_JWKS": staged.settings.jwks,
        "EARSHOT_HTTP_PORT": str(port),
    }
    command = ["-m", "deploy.local", "serve", staged.service.name]
    running = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield running, f"http://127.0.0.1:{port}"
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def is_closed(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            await client.get(f"{url}/healthz")
        except httpx.TransportError:
            return True
    return False
