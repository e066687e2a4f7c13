"""What every answer that leaves the house tells the browser, whichever service gave it."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

DEFAULTS = {
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"cross-origin-opener-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
    b"x-content-type-options": b"nosniff",
}
"""Pages have a policy of their own, which stays as it is; everything else may do nothing at all."""

STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Adds what an answer lacks."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._always = dict([STRICT_TRANSPORT]) if is_https else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def complete(message: Any) -> None:  # noqa: ANN401 - an ASGI message
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                wanted = DEFAULTS | self._always
                message["headers"] = given + [pair for pair in wanted.items() if pair[0] not in names]
            await send(message)

        await self._app(scope, receive, complete)
