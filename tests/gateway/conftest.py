"""A gateway with a database of its own, in front of a service that says what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from jwt.algorithms import OKPAlgorithm
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from deploy.gateway.app import create_app
from deploy.gateway.settings import GatewaySettings
from shared.runtime.auth.tokens import issue, key_id
from tests.gateway.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.support.databases import create_database, drop_database, dsn_of
from tests.support.infra import free_port
from tests.support.running import until

OURS = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form on our own page."""


@asynccontextmanager
async def listening(
    app: ASGIApp, port: int | None = None, *, lifespan: Literal["auto", "off"] = "auto"
) -> AsyncIterator[str]:
    """The application behind a real socket; gives its address."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=port, log_config=None, proxy_headers=False, timeout_graceful_shutdown=1, lifespan=lifespan
        )
    )
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


def upstream() -> FastAPI:
    """A service that says what it was asked."""
    app = FastAPI()

    @app.get("/stream", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(raw_data="first")
        await asyncio.sleep(30)
        yield ServerSentEvent(raw_data="too late")

    @app.get("/cookies")
    async def cookies() -> Response:
        response = RedirectResponse("/elsewhere", 303)
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @app.get("/api/v1/pulse")
    async def pulse(request: Request) -> dict[str, int]:
        return {"ideas": 7} if request.headers["authorization"].startswith("Bearer ") else {}

    @app.post("/wait")
    async def wait(request: Request) -> None:
        try:
            await request.body()
        except ClientDisconnect:
            app.state.cut_off.set()

    app.state.cut_off = asyncio.Event()

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def echo(request: Request) -> dict[str, object]:
        return {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }

    return app


@dataclass
class Gateway:
    """A running gateway and a visitor's client, which keeps cookies and follows no redirect by itself."""

    client: httpx.AsyncClient
    app: FastAPI
    settings: GatewaySettings
    upstream: FastAPI

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")

    def token(self, **changed: Any) -> str:
        """A sign-in link's token, or another."""
        options: dict[str, Any] = {
            "subject": "ana",
            "role": "manager",
            "audience": "earshot-signin",
            "lifetime": timedelta(minutes=15),
            "now": datetime.now(UTC),
        }
        return issue(self.settings.signing_key.read_bytes(), **(options | changed))

    async def use(self, token: str) -> httpx.Response:
        """Press the button on the page that a sign-in link opens."""
        return await self.client.post("/sign-in", data={"token": token}, headers=OURS)

    async def sign_in(self, **changed: Any) -> str:
        """Sign in by a link; gives the session's cookie."""
        answer = await self.use(self.token(**changed))
        assert answer.status_code == 303, answer.text
        return self.client.cookies[self.app.state.sessions.cookie]

    async def sees(self, client: httpx.AsyncClient | None = None) -> dict[str, str]:
        """The headers that the service gets."""
        answer = await (client or self.client).get("/roadmap/x")
        headers: dict[str, str] = answer.json()["headers"]
        return headers

    def later(self, **passed: float) -> None:
        """Let the gateway's clock go ahead of the real one."""
        self.app.state.database.clock = lambda: datetime.now(UTC) + timedelta(**passed)

    @asynccontextmanager
    async def visitor(self, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        """Another browser."""
        async with httpx.AsyncClient(base_url=self.url, **options) as client:
            yield client


Start = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def start_gateway(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts gateways of one installation: they share key, key set and database."""
    key = Ed25519PrivateKey.generate()
    public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id(key)}
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public]}))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    database = await create_database("gateway")
    service = upstream()
    async with AsyncExitStack() as stack:
        service_url = await stack.enter_async_context(listening(service))

        async def start(**changed: Any) -> Gateway:
            port = free_port()
            options: dict[str, Any] = {
                "service_urls": {"roadmap": service_url, "kpi": "http://127.0.0.1:1"},
                "signing_key": tmp_path / "key.pem",
                "jwks": str(tmp_path / "jwks.json"),
                "database_dsn": dsn_of(database, "gateway"),
                "public_url": f"http://127.0.0.1:{port}",
            }
            settings = GatewaySettings(**(options | changed))
            app = create_app(settings)
            address = await stack.enter_async_context(listening(app, port))
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=address))
            started = Gateway(client, app, settings, service)

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await until(ready, what="the gateway to be ready")
            return started

        yield start
    await drop_database(database)


@pytest.fixture
async def gateway(start_gateway: Start) -> Gateway:
    return await start_gateway()


@pytest.fixture
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    """The company's identity provider; a test may say how clients prove who they are."""
    port = free_port()
    how = {"client_methods": request.param} if hasattr(request, "param") else {}
    provider = Provider(f"http://127.0.0.1:{port}", **how)
    async with listening(provider.app, port):
        yield provider


@pytest.fixture
async def at_company(start_gateway: Start, provider: Provider) -> Gateway:
    """A gateway where people sign in with the company's provider, whose claim `groups` says their role."""
    gateway = await start_gateway(**with_company(provider))
    provider.register(gateway.url)
    return gateway


def with_company(provider: Provider) -> dict[str, Any]:
    """The settings for the provider."""
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_role_claim": "groups",
        "oidc_role_map": {"product-managers": "manager"},
    }
