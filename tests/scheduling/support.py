"""What the tests of scheduling send, and short ways to send it.

The clock stands on Monday 2 March 2026, 09:00 UTC; Berlin is one hour ahead. Notice is a day, so the first time that
can be booked with Mia is Tuesday, 09:00 UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from httpx import Response

from shared.contract.events import DemoRequested, FeatureStatusChanged, SessionCompleted
from shared.contract.parts import Contact, TimeRange
from tests.support.service import START, ServiceUnderTest

FIRST = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
SECOND = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
"""The next start that keeps the gap to the first."""

STUDY = {"study_id": "close", "title": "Month-end close"}
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
MIA = {
    "host_id": "mia",
    "name": "Mia Brandt",
    "email": "mia@example.com",
    "timezone": "Europe/Berlin",
    "weekly": [{"days": WEEKDAYS, "start": "09:00", "end": "12:00"}],
    "studies": [{"study_id": "close"}],
}
TOM = MIA | {"host_id": "tom", "name": "Tom Okafor", "email": "tom@example.com"}
PAGE = {"accept": "text/html"}


def demo(request_id: str = "r-1", *wishes: datetime, name: str = "Ana Ruiz", **more: Any) -> DemoRequested:
    """A request from somebody of that name; each wish is an hour from its start."""
    first_name = name.split(maxsplit=1)[0].lower()
    contact = Contact(name=name, email=f"{first_name}@example.com", company="Northwind", phone="+34 1")
    values: dict[str, Any] = {
        "requested_at": START,
        "contact": contact,
        "timezone": "Europe/Madrid",
        "preferred_times": tuple(TimeRange(start=wish, end=wish + timedelta(hours=1)) for wish in wishes),
        "questions": ("Can I keep my formulas?",),
        **more,
    }
    return DemoRequested(request_id=request_id, **values)


def status(feature_id: str = "f-1", version: int = 1, state: str = "shipped", *asked_by: str) -> FeatureStatusChanged:
    return FeatureStatusChanged.model_validate(
        {
            "feature_id": feature_id,
            "version": version,
            "title": "Export with formulas",
            "status": state,
            "changed_at": START,
            "released_at": START if state == "shipped" else None,
            "asked_by": asked_by,
        }
    )


def completed(session_id: str = "s-1", **more: Any) -> SessionCompleted:
    values: dict[str, Any] = {"participant_id": "p-1", "completed_at": START + timedelta(days=3), **more}
    return SessionCompleted(session_id=session_id, **values)


async def post(service: ServiceUnderTest, path: str, body: dict[str, Any] | None = None, role: str = "admin") -> Any:
    """The answer's JSON; the call must succeed."""
    answer = await send(service, path, body, role)
    assert answer.is_success, answer.text
    return answer.json()


async def send(
    service: ServiceUnderTest, path: str, body: dict[str, Any] | None = None, role: str = "admin"
) -> Response:
    return await service.client.post(f"/api/v1{path}", json=body or {}, headers=service.headers(role))


async def get(service: ServiceUnderTest, path: str, role: str = "admin") -> Any:
    """The answer's JSON; the call must succeed."""
    answer = await service.client.get(f"/api/v1{path}", headers=service.headers(role))
    assert answer.is_success, answer.text
    return answer.json()


async def interview_of(service: ServiceUnderTest, request_id: str = "r-1") -> Any:
    return (await get(service, f"/requests/{request_id}"))["interview"]


async def page(service: ServiceUnderTest, path: str, role: str | None = "researcher") -> Response:
    return await service.client.get(path, headers=PAGE | (service.headers(role) if role else {}))


async def submit(
    service: ServiceUnderTest, path: str, fields: dict[str, Any] | None = None, role: str | None = "researcher"
) -> Response:
    """A form, sent as a browser sends it."""
    headers = PAGE | (service.headers(role) if role else {})
    return await service.client.post(path, data=fields or {}, headers=headers)


def booking_form(start: datetime | None = FIRST, **more: Any) -> dict[str, Any]:
    fields = {"request_id": str(uuid4()), "name": "Ana Ruiz", "email": "ana@example.com", "website": ""}
    return fields | ({"start": start.isoformat()} if start else {}) | more


def text_of(answer: Response) -> str:
    """What a reader sees of a page, without its tags."""
    body = re.sub(r"<(script|style|select).*?</\1>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))
