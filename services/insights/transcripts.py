"""Fetching a transcript from the sessions service with the credential of the person who reads it."""

import asyncio
import ssl
from functools import cache

import httpx
import structlog
from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from shared.runtime import Problem

from .model import Session
from .quotes import Turn

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 5.0
TITLE = "No transcript to read"
LATER = "The transcript cannot be fetched right now; try again shortly. A quote typed by hand needs no transcript."

_turns = TypeAdapter(list[Turn])


async def read(request: Request, session: Session) -> list[Turn]:
    """The session's turns.

    Raises:
        Problem: 404 where there is none for us to read, 403 where the caller may not, 503 where sessions is away.
    """
    if session.transcript is None:
        raise Problem(404, TITLE, "This session has no transcript; quotes can be typed by hand.")
    public_url = request.app.state.settings.public_url.rstrip("/")
    turns_url = f"{public_url}/sessions/api/v1/sessions/{session.session_id}/turns"
    # Anyone on Kafka can name any address: a request, and above all a credential, goes only where our own files lie.
    if session.transcript.url != turns_url.removesuffix("turns") + "transcript":
        raise Problem(404, TITLE, "The transcript lies with another tool; open it there and type quotes by hand.")
    settings = request.app.state.settings
    reachable = (settings.gateway_url or settings.public_url).rstrip("/")
    answer = await _get(reachable + turns_url.removeprefix(public_url), _credential(request))
    if answer.status_code in {401, 403}:
        raise Problem(
            403, "Not allowed", "You may not read this session's transcript; ask an administrator for access."
        )
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise Problem(404, TITLE, "The transcript is no longer there; quotes can be typed by hand.")
    try:
        return _turns.validate_json(answer.raise_for_status().content)
    except (httpx.HTTPStatusError, ValidationError) as fault:
        log.warning("transcript cannot be used", url=turns_url, status=answer.status_code, because=type(fault).__name__)
        raise Problem(503, "Transcript unavailable", LATER) from None


async def _get(url: str, credential: dict[str, str]) -> httpx.Response:
    try:
        # httpx counts its time-out anew for every piece it receives; this one is for all of them.
        async with asyncio.timeout(TIMEOUT_SECONDS), httpx.AsyncClient(verify=_authorities()) as client:
            return await client.get(url, headers=credential | {"Accept": "application/json"})
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as fault:
        log.warning("transcript cannot be fetched", url=url, because=repr(fault))
        raise Problem(503, "Transcript unavailable", LATER) from None


@cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities, which take a fifth of a second to load."""
    return httpx.create_ssl_context()


def _credential(request: Request) -> dict[str, str]:
    """The token that the caller, or the gateway for whoever is signed in there, showed us, and nothing else."""
    return {"Authorization": request.headers.get("authorization", "")}
