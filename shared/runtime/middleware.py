"""What happens around every request: its prefix, its trace, time and log line, its size."""

import re
import time
from typing import Any
from uuid import uuid4

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.ui.sentences import Sentence

from . import problems
from .telemetry import Metrics, span

log = structlog.get_logger(__name__)

REQUEST_ID = b"x-request-id"
TAKEN_OVER = frozenset({b"traceparent", REQUEST_ID})
WELL_FORMED = re.compile("[A-Za-z0-9-]{8,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

MAX_BODY_BYTES = 6 * 1024 * 1024
"""A transcript may have 5 MB; nothing else comes near."""


class BehindGateway:
    """Puts the prefix that the gateway took off back in front, so that links come out right."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app, self._prefix = app, f"/{name}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (b"x-forwarded-prefix", self._prefix.encode()) in scope["headers"]:
            scope = {**scope, "root_path": self._prefix, "path": self._prefix + scope["path"]}
        await self._app(scope, receive, send)


class Observed:
    """A span, a measured time and a log line with who it was, for every request.

    The line names the route, not the address: paths and queries hold tokens of booking pages and sign-in links.
    The request's id is the gateway's where one came through it, so that both lines can be found by it.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        began = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in TAKEN_OVER}
        given = headers.get(REQUEST_ID, "")
        request_id = given if WELL_FORMED.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def observe(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id.encode())]
                if not any(name.lower() == b"cache-control" for name, _ in message["headers"]):
                    # Answers are about people: no browser and no proxy keeps them, and an erasure need not find them.
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        carrier = {name.decode(): value for name, value in headers.items() if name != REQUEST_ID}
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            span(f"{scope['method']} request", carrier),
        ):
            try:
                await self._app(scope, receive, observe)
            except Exception as fault:
                if status:
                    raise  # the answer has begun and cannot be taken back
                await problems.unexpected(Request(scope), fault)(scope, receive, observe)
            finally:
                self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"  # anybody can make up more
        route = problems.route_of(scope)
        self._metrics.requests.labels(method, route, str(status)).observe(seconds)
        who = scope["state"].get("principal")
        # Probes come every few seconds and say nothing; the level DEBUG shows them.
        tell = log.debug if route in PROBES else log.info
        tell(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            who=who.subject if who else None,
            role=who.role if who else None,
        )


class LimitedBody:
    """Refuses a body that is too large, whether or not its length is announced."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Not a Problem: FastAPI takes every other exception while it reads a body for a body that cannot be read.
        too_large = HTTPException(
            413, Sentence("A request may have %(bytes)s bytes; send less.", bytes=f"{MAX_BODY_BYTES:,}")
        )
        taken = 0

        async def counted() -> Any:  # noqa: ANN401 - an ASGI message
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY_BYTES:
                raise too_large
            return message

        length = dict(scope["headers"]).get(b"content-length", b"")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            await problems.refusal(Request(scope), too_large)(scope, receive, send)
            return
        await self._app(scope, counted, send)
