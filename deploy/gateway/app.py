"""Wires the gateway and serves it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import structlog
import uvicorn
from fastapi import Depends, FastAPI, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared.runtime import problems
from shared.runtime.auth.trust import Trust
from shared.runtime.database import Database
from shared.runtime.middleware import LimitedBody, Observed
from shared.runtime.serve import GRACEFUL_SECONDS, KEEP_ALIVE_SECONDS, read_settings
from shared.runtime.telemetry import Metrics, start_logging, start_tracing
from shared.ui import Pages
from shared.ui.gallery import router as gallery

from . import home, sign_in, store
from .attempts import Attempts
from .company import CALLBACK, Company
from .headers import SecurityHeaders
from .proxy import Proxy
from .sessions import Sessions, authenticate
from .settings import GatewaySettings

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 2.0
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PUBLIC = frozenset(
    {
        "GET /",
        "GET /healthz",
        "GET /metrics",
        "GET /readyz",
        "GET /.well-known/jwks.json",
        "GET /sign-in",
        "POST /sign-in",
        "GET /sign-in/company",
        f"GET {CALLBACK}",
        "POST /sign-out",
        "GET /ui",
        "POST /ui",
        "GET /ui/public",
        *(f"{method} /{{service}}" for method in METHODS),
        *(f"{method} /{{service}}/{{path:path}}" for method in METHODS),  # the services check for themselves
    }
)


def create_app(settings: GatewaySettings) -> FastAPI:
    """The gateway's application."""
    proxy, metrics, company = Proxy(settings.service_urls), Metrics(), Company(settings)
    database = Database("gateway", settings.database_dsn.get_secret_value(), size=settings.database_pool)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        start_tracing("gateway")
        opening = asyncio.create_task(_open(database))
        try:
            yield
        finally:
            opening.cancel()
            await asyncio.gather(proxy.close(), database.close())

    app = FastAPI(
        title="Earshot gateway",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        dependencies=[Depends(authenticate)],
    )
    app.state.settings, app.state.proxy, app.state.public = settings, proxy, PUBLIC
    app.state.database, app.state.trust, app.state.public_url = database, Trust(settings), settings.public_url
    app.state.sessions, app.state.company_sign_in = Sessions(settings, database), company
    app.state.attempts = Attempts()
    app.state.pages = Pages("home", Path(__file__).parent / "pages")
    problems.install(app)
    app.mount("/assets", app.state.pages.assets.app)
    for router in (home.router, sign_in.router, gallery):
        app.include_router(router)

    app.add_middleware(Observed, metrics=metrics)
    app.add_middleware(LimitedBody)
    app.add_middleware(SecurityHeaders, is_https=settings.is_https)

    @app.get("/metrics")
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"service": "gateway", "status": "alive"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        ok, detail = await _check(database)
        report = {"ready": ok, "checks": {"database": {"ok": ok, "detail": detail}}}
        return JSONResponse(report, 200 if ok else 503)

    @app.get("/.well-known/jwks.json")
    async def jwks(request: Request) -> JSONResponse:
        keys = await request.app.state.trust.our_keys.published()
        return JSONResponse({"keys": keys}, headers={"Cache-Control": "public, max-age=60"})

    @app.api_route("/{service}", methods=METHODS, include_in_schema=False)
    async def to_folder(request: Request, service: str) -> Response:
        if service in proxy.urls and request.method in {"GET", "HEAD"}:
            return RedirectResponse(f"/{service}/", status_code=308)
        return await proxy.forward(request, service, "/")

    @app.api_route("/{service}/{path:path}", methods=METHODS, include_in_schema=False)
    async def to_service(request: Request, service: str) -> Response:
        # The path as it was sent: decoding and encoding it again could turn an escaped slash into a real one.
        raw = request.scope.get("raw_path", request.url.path.encode()).decode("ascii").split("?")[0]
        # An escaped slash or letter in the service's name is no name of a service.
        known, path = service if raw.startswith(f"/{service}/") else raw, raw.removeprefix(f"/{service}")
        return await proxy.forward(request, known, path)

    return app


async def _open(database: Database) -> None:
    """The database may come up later than the gateway; the public pages need none."""
    while True:
        try:
            return await database.open()
        except Exception as fault:  # noqa: BLE001 - it waits for its database however long that is away
            log.warning("database is not reachable yet", because=type(fault).__name__)
            await asyncio.sleep(1)


async def _check(database: Database) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await store.count_sessions(database.pool)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:  # TimeoutError is an OSError
        return False, type(fault).__name__
    return True, "answers"


def serve() -> None:
    """Serve the gateway until the process is told to stop."""
    settings = read_settings(GatewaySettings)
    start_logging("gateway", form=settings.log_format, level=settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
