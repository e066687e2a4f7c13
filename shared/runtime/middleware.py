"""What happens around every request: its prefix, its trace and time, its size."""

import time
from typing import Any

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from . import problems
from .telemetry import Metrics, span

log = structlog.get_logger(__name__)

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
    """A span, a measured time and, for what changes something, a log line for every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        began = time.perf_counter()

        async def observe(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"}
        with span(f"{scope['method']} request", carrier):
            try:
                await self._app(scope, receive, observe)
            except Exception as fault:
                if status:
                    raise  # the answer has begun and cannot be taken back
                await problems.unexpected(Request(scope), fault)(scope, receive, observe)
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.requests.labels(scope["method"], route, str(status)).observe(seconds)
            if scope["method"] not in {"GET", "HEAD"}:
                who = scope.get("state", {}).get("principal")
                log.info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    ms=round(seconds * 1000, 1),
                    who=who.subject if who else None,
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
        too_large = HTTPException(413, f"A request may have {MAX_BODY_BYTES:,} bytes; send less.")
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
