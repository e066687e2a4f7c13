"""Wires the gateway and serves it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import Depends, FastAPI, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared.runtime import problems
from shared.runtime.auth import authenticate
from shared.runtime.middleware import LimitedBody, Observed
from shared.runtime.serve import GRACEFUL_SECONDS, KEEP_ALIVE_SECONDS, read_settings
from shared.runtime.telemetry import Metrics, start_logging, start_tracing
from shared.runtime.tokens import KeySet
from shared.ui import Pages
from shared.ui.gallery import router as gallery

from . import home, sign_in
from .proxy import Proxy
from .settings import GatewaySettings

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PUBLIC = frozenset(
    {
        "GET /",
        "GET /healthz",
        "GET /metrics",
        "GET /readyz",
        "GET /sign-in",
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
    proxy, metrics = Proxy(settings.service_urls), Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        start_tracing("gateway")
        yield
        await proxy.close()

    app = FastAPI(
        title="Earshot gateway",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        dependencies=[Depends(authenticate)],
    )
    app.state.settings, app.state.proxy, app.state.public = settings, proxy, PUBLIC
    app.state.keys, app.state.used_links = KeySet(settings.jwks), sign_in.UsedLinks()
    app.state.signing_key, app.state.public_url = settings.signing_key.read_bytes(), settings.public_url
    app.state.pages = Pages("home", Path(__file__).parent / "pages")
    problems.install(app)
    app.mount("/assets", app.state.pages.assets.app)
    for router in (home.router, sign_in.router, gallery):
        app.include_router(router)

    app.add_middleware(Observed, metrics=metrics)
    app.add_middleware(LimitedBody)

    @app.get("/metrics")
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"service": "gateway", "status": "alive"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        return JSONResponse({"ready": True, "checks": {}})

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
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
