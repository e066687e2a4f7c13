"""The HTTP side of a service: one FastAPI application with what every service has, and the service's own routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.gzip import GZipMiddleware

from shared.contract.asyncapi import document
from shared.ui.docs import docs_page
from shared.ui.words import Speaking

from . import problems
from .again import DoneAgain
from .auth.principals import Viewer, authenticate
from .auth.trust import Trust
from .consumer import Consumer
from .database import Database
from .dead_letters import api as dead_letter_api
from .dead_letters import pages as dead_letter_pages
from .dead_letters import store as dead_letters
from .depends import Tx
from .direct import Directly
from .health import Health
from .housekeeping import Housekeeping
from .jobs import name_of
from .mail import mailbox
from .middleware import BehindGateway, LimitedBody, Observed
from .openapi import ERRORS, Application
from .relay import Relay
from .service import Service, Work
from .settings import Settings
from .telemetry import Metrics, start_tracing, stop_tracing

log = structlog.get_logger(__name__)

STOP_SECONDS = 20.0
JOB_PAUSE_SECONDS = 1.0


def create_app(service: Service, settings: Settings, *, database: Database | None = None) -> FastAPI:
    """The application; its lifespan starts and stops the pool, the relay and the consumer."""
    metrics = Metrics()
    database = database or Database(service.name, settings.database_dsn.get_secret_value(), size=settings.database_pool)
    consumer = Consumer(database, service.handlers, settings, metrics) if service.consumes else None
    health = Health(database, consumer, metrics)
    relay = Relay(database, settings, metrics, keep=settings.outbox_archive_days > 0)
    housekeeping = Housekeeping(database, settings, service.consumes)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        start_tracing(service.name)
        own: list[Callable[[], Coroutine[Any, Any, None]]] = [partial(_kept_going, housekeeping.run, "tidy", metrics)]
        own += [
            partial(_kept_going, partial(job, Work(database, settings, metrics)), name_of(job), metrics)
            for job in service.jobs
        ]
        work = asyncio.create_task(_run(database, consumer, relay, health, own))
        try:
            yield
        finally:
            await _stop(work)
            await database.close()
            await stop_tracing()

    app = Application(
        title=f"Earshot {service.name}",
        summary=service.summary,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # Observed does it, in a third of the time
        dependencies=[Depends(authenticate)],
        servers=[{"url": f"{settings.public_url}/{service.name}", "description": "through the gateway"}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        responses=ERRORS,
    )
    app.state.service, app.state.settings, app.state.database = service, settings, database
    app.state.together = {}
    app.state.consumer, app.state.health, app.state.metrics = consumer, health, metrics
    app.state.trust, app.state.public = Trust(settings), service.public
    app.state.public_url, app.state.pages = settings.public_url, service.pages
    problems.install(app)
    app.include_router(_operations(service))
    if settings.mailbox:
        app.include_router(mailbox.router)
    app.include_router(dead_letter_api.router)
    app.include_router(dead_letter_pages.router)
    for router in service.routers:
        app.include_router(router)
    app.mount("/assets", service.pages.assets.app)
    app.add_middleware(Speaking, words=service.pages.words)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Directly, routers=service.routers)
    app.add_middleware(DoneAgain)
    app.add_middleware(Observed, metrics=metrics)
    app.add_middleware(BehindGateway, name=service.name)
    app.add_middleware(LimitedBody)
    return app


async def _run(
    database: Database,
    consumer: Consumer | None,
    relay: Relay,
    health: Health,
    own: Sequence[Callable[[], Coroutine[Any, Any, None]]],
) -> None:
    """Everything that goes on beside HTTP; the database may come up later than the service."""
    while True:
        try:
            await database.open()
            break
        except Exception as fault:  # noqa: BLE001 - a service waits for its database however long it is away
            log.warning("database is not reachable yet", because=repr(fault))
            await asyncio.sleep(1)
    # A group waits for all of them when it is cancelled; gather would leave with the first and cut the others off.
    async with asyncio.TaskGroup() as jobs:
        jobs.create_task(relay.run())
        jobs.create_task(health.observe())
        if consumer is not None:
            jobs.create_task(consumer.run())
        for job in own:
            jobs.create_task(job())


async def _stop(work: asyncio.Task[None]) -> None:
    """Let it finish what is under way, but not for longer than whoever stops the process waits."""
    work.cancel()
    ended, _ = await asyncio.wait({work}, timeout=STOP_SECONDS)
    if not ended:
        log.error("stops in the middle of work", after_seconds=STOP_SECONDS)
    elif not work.cancelled():
        work.result()


async def _kept_going(job: Callable[[], Awaitable[None]], name: str, metrics: Metrics) -> None:
    while True:
        try:
            await job()
        except Exception as fault:  # noqa: BLE001 - a job outlives every fault of what it works with
            metrics.job_faults.labels(name).inc()
            log.warning("job starts again", job=name, because=repr(fault))
        await asyncio.sleep(JOB_PAUSE_SECONDS)


def _operations(service: Service) -> APIRouter:
    """The endpoints by which a service is operated."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="The process is alive")
    async def healthz() -> dict[str, str]:
        return {"service": service.name, "status": "alive"}

    @router.get(
        "/readyz",
        summary="Database, broker, consumer and outbox are as they should be",
        responses={503: {"description": "Some are not", "content": {"application/json": {}}}},
    )
    async def readyz(request: Request) -> JSONResponse:
        report = await request.app.state.health.report()
        return JSONResponse(report, 200 if report["ready"] else 503)

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/asyncapi.json", summary="The events of this service, AsyncAPI 3")
    async def asyncapi() -> JSONResponse:
        return JSONResponse(document(service.name, frozenset(event.type for event in service.consumes)))

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return docs_page(request, request.app.openapi(), service.pages)

    @router.get("/api/v1/pulse", summary="A few counts that say how much is going on")
    async def pulse(tx: Tx, _who: Viewer) -> dict[str, int]:
        letters = await dead_letters.count_open(tx.connection)
        return {**await service.pulse(tx.connection), **({"dead letters": letters} if letters else {})}

    return router
