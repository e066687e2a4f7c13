"""Asking a local HTTP server how it is, without proxies and with little patience."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a service says of itself; numbers are None where it does not know or does not answer."""

    ready: bool = False
    lag: int | None = None
    outbox: int | None = None
    dead_letters: int | None = None
    complaint: str = "does not answer"


def readiness(url: str) -> Readiness:
    """What `GET /readyz` of the service at `url` says."""
    answer = _get(url, "/readyz")
    if answer is None:
        return Readiness()
    try:
        report: dict[str, Any] = json.loads(answer[1])
        failed = [f"{name}: {check['detail']}" for name, check in report["checks"].items() if not check["ok"]]
        return Readiness(
            ready=bool(report["ready"]),
            lag=report.get("lag"),
            outbox=report.get("outbox"),
            dead_letters=report.get("dead_letters"),
            complaint="; ".join(failed),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Readiness(complaint=f"answers {answer[0]} without a readiness report")


def is_healthy(url: str) -> bool:
    """Whether `GET /healthz` answers 200."""
    answer = _get(url, "/healthz")
    return answer is not None and answer[0] == http.HTTPStatus.OK


def _get(url: str, path: str) -> tuple[int, bytes] | None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
