"""One attempt over HTTPS: send, and read a little of the answer."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore

from .guard import Guard, Refused, Unresolved
from .settings import WebhookSettings

ATTEMPT_SECONDS = 15.0
TIMEOUTS = {"connect": 3.0, "read": 10.0, "write": 5.0, "pool": 3.0}
READ_BYTES, KEPT_BYTES = 16_384, 1024
SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or an error in words; and the beginning of the body."""

    milliseconds: int
    status: int | None = None
    error: str | None = None
    retry_after: str | None = None
    text: str | None = None


class Sender:
    """Sends to receivers; follows no redirects, reads no proxy variables, trusts the system's authorities and ours."""

    def __init__(self, settings: WebhookSettings) -> None:
        context = ssl.create_default_context()
        if settings.webhook_ca is not None:
            context.load_verify_locations(settings.webhook_ca)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            network_backend=Guard(settings.reach),
            max_connections=settings.webhook_concurrency,
            keepalive_expiry=30.0,
            retries=0,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The receiver's answer; whatever goes wrong is one too."""
        began = time.perf_counter()

        def taken() -> int:
            return round((time.perf_counter() - began) * 1000)

        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                status, retry_after, text = await self._exchange(url, headers, body)
        except TimeoutError:
            return Answer(taken(), error=f"no whole answer within {ATTEMPT_SECONDS:.0f} s")
        except (
            Refused,
            Unresolved,
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            OSError,
        ) as fault:
            return Answer(taken(), error=_in_words(fault))
        return Answer(taken(), status=status, retry_after=retry_after, text=text)

    async def close(self) -> None:
        await self._pool.aclose()

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str | None, str]:
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        extensions = {"timeout": TIMEOUTS}
        async with self._pool.stream("POST", url, headers=sent, content=body, extensions=extensions) as answer:
            received = bytearray()
            async for chunk in answer.aiter_stream():
                received += chunk
                if len(received) >= READ_BYTES:
                    break  # leaving closes the connection
            told = {name.lower(): value for name, value in answer.headers}
        retry_after = told.get(b"retry-after")
        return answer.status, None if retry_after is None else retry_after.decode("latin-1"), _text(bytes(received))


def _text(received: bytes) -> str:
    """The beginning as text that PostgreSQL takes."""
    return received[:KEPT_BYTES].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _in_words(fault: Exception) -> str:
    if isinstance(fault, Refused | Unresolved):
        return str(fault)[:SHOWN_CHARACTERS]
    cause = fault.__cause__ or fault.__context__
    if isinstance(cause, ssl.SSLError):
        detail = getattr(cause, "verify_message", "") or cause.reason or "TLS failed"
        return f"the connection is not secure: {detail}"[:SHOWN_CHARACTERS]
    words = {
        httpcore.ConnectTimeout: f"no connection within {TIMEOUTS['connect']:.0f} s",
        httpcore.ReadTimeout: f"no answer within {TIMEOUTS['read']:.0f} s",
        httpcore.WriteTimeout: f"not taken within {TIMEOUTS['write']:.0f} s",
        httpcore.PoolTimeout: "no connection was free",
        httpcore.ConnectError: "no connection: nobody answers there",
        httpcore.RemoteProtocolError: "the answer is not HTTP, or was cut off",
    }
    return words.get(type(fault)) or (str(fault) or type(fault).__name__)[:SHOWN_CHARACTERS]
