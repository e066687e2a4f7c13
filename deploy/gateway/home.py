"""The home page: the loop as five steps, each with its live numbers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from shared.runtime.auth.principals import Viewer

from .proxy import Proxy

REFRESH_SECONDS = 3.0
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One service's part in the loop."""

    service: str
    title: str
    text: str
    path: str
    numbers: dict[str, int] | None = None


LOOP = (
    Step("scheduling", "Listen", "A demo request becomes a booked interview.", "/scheduling/"),
    Step("sessions", "Interview", "The talk is run from a guide, with notes and transcript.", "/sessions/"),
    Step("insights", "Understand", "Quotes become tagged insights.", "/insights/"),
    Step("roadmap", "Decide", "Insights and votes become priorities.", "/roadmap/"),
    Step("kpi", "Measure", "What shipped is held against the KPIs.", "/kpi/"),
)


@router.get("/")
async def home(request: Request) -> Response:
    signed_in = request.state.principal is not None
    steps = await loop_with_numbers(request) if signed_in else list(LOOP)
    return request.app.state.pages.render(request, "home.html", steps=steps)  # type: ignore[no-any-return]


@router.get("/live", response_class=EventSourceResponse)
async def live(request: Request, _who: Viewer) -> AsyncIterator[ServerSentEvent]:
    """The loop again whenever a number changed."""
    shown: list[Step] = []
    while not await request.is_disconnected() and await _still_signed_in(request):
        steps = await loop_with_numbers(request)
        if steps != shown:
            shown = steps
            markup = request.app.state.pages.render(request, "loop.html", steps=steps).body.decode()
            yield ServerSentEvent(raw_data=f'<hx-partial hx-target="#loop" hx-swap="outerMorph">{markup}</hx-partial>')
        await asyncio.sleep(REFRESH_SECONDS)


async def _still_signed_in(request: Request) -> bool:
    """Whoever signs out in one window is signed out in the others."""
    return request.state.session is None or await request.app.state.sessions.find(request) is not None


async def loop_with_numbers(request: Request) -> list[Step]:
    """Every step with its service's numbers; None where the service does not answer."""
    proxy: Proxy = request.app.state.proxy
    token = request.app.state.sessions.token("gateway", "viewer", timedelta(minutes=1))

    async def with_numbers(step: Step) -> Step:
        try:
            answer = await proxy.get(step.service, "/api/v1/pulse", token)
            numbers = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError, KeyError):
            numbers = None
        return Step(step.service, step.title, step.text, step.path, numbers)

    return await asyncio.gather(*(with_numbers(step) for step in LOOP))
