"""The insights service, and a server that stands where the gateway and the sessions service would."""

import contextlib
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.insights.asking import post
from tests.insights.examples import TURNS, completed, insight
from tests.support.service import ServiceUnderTest


@dataclass
class Gateway:
    """A real HTTP server: what it answers, and what it was asked."""

    url: str
    status: int = 200
    body: bytes = field(default=json.dumps(TURNS).encode())
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def transcript_of(self, session_id: str) -> str:
        return f"{self.url}/sessions/api/v1/sessions/{session_id}/transcript"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway behind which the sessions service has the turns of the example."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            time.sleep(known.delay_seconds)
            self.send_response(known.status)
            for name, value in {**known.headers, "Content-Length": str(len(known.body))}.items():
                self.send_header(name, value)
            with contextlib.suppress(ConnectionError):  # whoever waits no longer has hung up
                self.end_headers()
                self.wfile.write(known.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class named it
            """Keep the test output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = Gateway(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield known
        server.shutdown()


@pytest.fixture
async def insights(start_service: Callable[[str], Awaitable[ServiceUnderTest]], gateway: Gateway) -> ServiceUnderTest:
    """The service with an empty database, behind the gateway."""
    service = await start_service("insights")
    behind_gateway = service.app.state.settings.model_copy(update={"public_url": gateway.url})
    service.app.state.settings = behind_gateway
    return service


@pytest.fixture
async def tagged(insights: ServiceUnderTest) -> ServiceUnderTest:
    """One session with the insight in-1."""
    await insights.deliver(completed())
    assert (await post(insights, "insights", insight(insight_id="in-1"))).status_code == 201
    return insights
