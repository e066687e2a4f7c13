"""Passes requests on to the services as streams, so that uploads and event streams flow through."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx
import structlog
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shared.runtime.auth.principals import SAFE_METHODS
from shared.runtime.errors import Problem
from shared.runtime.serve import KEEP_ALIVE_SECONDS
from shared.runtime.telemetry import trace_headers

from .sessions import ACCESS_LIFETIME, BEGUN, Sessions

log = structlog.get_logger(__name__)

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110, section 7.6.1: what concerns one connection only."""

# No read timeout: an event stream is silent for as long as nothing happens.
TIMEOUT = httpx.Timeout(connect=3, read=None, write=60, pool=10)

OURS = frozenset(
    {
        "traceparent",
        "tracestate",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-request-id",
    }
)
"""What the gateway says itself; a visitor's own words on it are not passed on."""


class Proxy:
    """One pool of connections to all services."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = {name: url.rstrip("/") for name, url in urls.items()}
        # Shorter than the services' own, so that a connection is not used in the moment it is closed.
        limits = httpx.Limits(
            max_connections=500, max_keepalive_connections=50, keepalive_expiry=KEEP_ALIVE_SECONDS / 2
        )
        self._client = httpx.AsyncClient(limits=limits, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, service: str, path: str, token: str) -> httpx.Response:
        """A short question of the gateway's own."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self._client.get(f"{self.urls[service]}{path}", headers=headers, timeout=3)

    async def _send(self, outgoing: httpx.Request, *, may_repeat: bool) -> httpx.Response:
        try:
            return await self._client.send(outgoing, stream=True)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if not may_repeat:
                raise
            # The pooled connection was one of a process that is gone; the next one is fresh.
            return await self._client.send(outgoing, stream=True)

    async def forward(self, request: Request, service: str, path: str) -> Response:
        """The service's answer to the request.

        Raises:
            Problem: 404 for an unknown service, 502 when it does not answer.
        """
        if len(request.headers.getlist("host")) > 1:
            raise Problem(400, "Bad request", "The request has more than one Host header; send one.")
        if service not in self.urls:
            known = ", ".join(f"/{name}/" for name in self.urls)
            raise Problem(404, "Not Found", f"There is nothing at {request.url.path}; the services are at {known}.")
        structlog.contextvars.bind_contextvars(target=service)
        query = f"?{request.url.query}" if request.url.query else ""
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        # Not the client's build_request: it adds headers of its own, and the visitor may not want gzip.
        outgoing = httpx.Request(
            request.method,
            # Only the target is the visitor's: whatever it holds, the request goes to the service's host.
            httpx.URL(self.urls[service]).copy_with(raw_path=f"{path}{query}".encode("ascii")),
            headers=_outgoing_headers(request, service),
            content=request.stream() if has_body else None,
            extensions={"timeout": TIMEOUT.as_dict()},
        )
        try:
            answer = await self._send(outgoing, may_repeat=request.method in SAFE_METHODS and not has_body)
        except httpx.TransportError as fault:
            log.warning("service does not answer", target=service, because=repr(fault))
            raise Problem(
                502, "Not there right now", f"The {service} service does not answer. Try again in a moment."
            ) from None
        response = StreamingResponse(
            _body(answer, _until_when(request, answer)), answer.status_code, background=BackgroundTask(answer.aclose)
        )
        # Set as raw pairs: a service may send several cookies, and its own content-length stays right for raw bytes.
        response.raw_headers = [
            (name.lower(), value) for name, value in answer.headers.raw if name.decode().lower() not in HOP_BY_HOP
        ]
        return response


def _until_when(request: Request, answer: httpx.Response) -> float | None:
    """For how many seconds the answer may go on: an event stream as long as a token, then the browser asks again."""
    is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
    return ACCESS_LIFETIME.total_seconds() if is_stream and request.state.session else None


async def _body(answer: httpx.Response, seconds: float | None) -> AsyncIterator[bytes]:
    try:
        async with asyncio.timeout(seconds):
            async for chunk in answer.aiter_raw():
                yield chunk
    except TimeoutError:
        return
    finally:
        await answer.aclose()


def _outgoing_headers(request: Request, service: str) -> list[tuple[bytes, bytes]]:
    named = {name.strip().lower() for name in request.headers.get("connection", "").split(",")}
    dropped = {name.encode("latin-1") for name in HOP_BY_HOP | OURS | named | {"cookie", "authorization"}}
    # As bytes: a value need not be ASCII.
    headers = [(name, value) for name, value in request.headers.raw if name not in dropped]
    visitor = request.client.host if request.client else "unknown"
    return [
        *headers,
        *_credentials(request),
        *((name.encode(), text.encode()) for name, text in trace_headers().items()),
        (b"x-request-id", request.state.request_id.encode()),
        (b"x-forwarded-for", visitor.encode()),
        (b"x-forwarded-host", request.headers.get("host", "").encode("latin-1")),
        (b"x-forwarded-proto", request.url.scheme.encode()),
        (b"x-forwarded-prefix", f"/{service}".encode()),
    ]


def _credentials(request: Request) -> list[tuple[bytes, bytes]]:
    """For a signed-in person a short-lived token; the cookies of signing in stay here."""
    sessions: Sessions = request.app.state.sessions
    settings = request.app.state.settings
    ours = {sessions.cookie, settings.cookie(BEGUN)}
    given = (part.strip() for header in request.headers.getlist("cookie") for part in header.split(";"))
    kept = [part for part in given if part and part.partition("=")[0].strip() not in ours]
    passed = [(b"cookie", "; ".join(kept).encode("latin-1"))] if kept else []
    if request.state.session is not None:
        return [*passed, (b"authorization", f"Bearer {sessions.access_token(request.state.session)}".encode())]
    return passed + [(b"authorization", text.encode("latin-1")) for text in request.headers.getlist("authorization")]
