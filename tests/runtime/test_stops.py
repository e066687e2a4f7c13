"""A consumer that stops moving is started again; a service that is told to stop finishes what is in flight."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka.consumer.fetcher import OffsetResetStrategy
from aiokafka.protocol.fetch import FetchRequest

from shared.runtime import consumer, health, http
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
from tests.support.running import RunningService, Stage, always_hears_a_stop, stage, until


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


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks often, but nothing has stalled before the test ends."""
    monkeypatch.setattr(consumer, "WATCH_SECONDS", 0.2)


@pytest.mark.usefixtures("watchful")
async def test_a_consumer_whose_fetcher_died_starts_again(staged: Stage) -> None:
    """When aiokafka's own fetching ends, as it does when uvloop refuses to write, the consumer starts anew at once."""
    foreign = Foreign(staged)
    async with staged.run() as service:
        foreign.measure(1, "before")
        await until_handled(service, 1)
        client = service.app.state.consumer._consumer._client
        client.send = refuse_to_fetch(client.send)
        await until(partial(has_another_client, service, client), what="another client")
        foreign.measure(2, "after")
        await until_handled(service, 2)


def refuse_to_fetch(send: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    """What uvloop says of a connection that is closed, where asyncio's own loop says nothing."""

    async def refusing(node: int, request: object, **options: object) -> object:
        if not isinstance(request, FetchRequest):
            return await send(node, request, **options)
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    return refusing


async def has_another_client(service: RunningService, client: object) -> bool:
    kafka = service.app.state.consumer._consumer
    return kafka is not None and kafka._client is not client


@pytest.mark.usefixtures("impatient")
async def test_a_consumer_that_cannot_tell_what_waits_starts_again(
    staged: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When Kafka answers another client and this one never says how far it is, it is not to be relied on."""
    foreign = Foreign(staged)
    async with staged.run() as service:
        client = service.app.state.consumer._consumer._client
        monkeypatch.setattr(service.app.state.consumer._fetching, "waiting", until_cancelled)
        await until(partial(has_another_client, service, client), what="another client")
        foreign.measure(1, "after")
        await until_handled(service, 1)


async def until_cancelled(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


@pytest.mark.usefixtures("watchful")
async def test_a_batch_that_gets_nowhere_is_told(staged: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that wait because one batch is tried again and again wait all the same; then the service is ready."""
    monkeypatch.setattr(health, "STALLED_SECONDS", 1.0)
    foreign = Foreign(staged)
    async with staged.run() as service:
        async with service.database.pool.acquire() as connection, connection.transaction():
            await connection.execute("LOCK TABLE inbox")
            foreign.measure(1, "after")
            await until(partial(says, service, "records wait and none was handled for"), what="readiness to tell")
        await until_handled(service, 1)
        await until(service.ready, what="the service to be ready again")


async def says(service: RunningService, why: str) -> bool:
    answer = await service.client.get("/readyz")
    return answer.status_code == 503 and why in answer.text


async def test_what_waits_is_known_though_the_client_waits_for_a_position(staged: Stage) -> None:
    """After a rebalance a client that fetches no more never learns where it is: it is not ready, and the lag rises."""
    foreign = Foreign(staged)
    async with staged.run() as service:
        foreign.measure(1, "before")
        await until_handled(service, 1)
        kafka = service.app.state.consumer._consumer
        kafka._fetcher._fetch_task.cancel()
        for place in kafka.assignment():
            kafka._subscription.subscription.assignment.state_value(place).await_reset(OffsetResetStrategy.LATEST)
        foreign.measure(2, "after")
        lag = await service.app.state.consumer.lag()
        assert lag.records == 1
        assert await says(service, "the client has ceased to fetch")


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
