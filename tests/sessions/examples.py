"""Events, files and steps that the tests of sessions share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contract.events import InterviewCancelled, InterviewRescheduled, InterviewScheduled, ParticipantErased
from shared.contract.types import Segment
from tests.support.service import ServiceUnderTest

MONDAY_TEN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TUESDAY_TEN = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

BOOKED = "acfa1981-e69b-5b1a-a1fc-3f343777e45d"
"""The session of interview i-1."""

VTT = b"""WEBVTT

00:00:00.000 --> 00:00:10.000
<v Ana>How do you export today?</v>

00:00:10.000 --> 00:00:50.000
<v Customer>I copy every row by hand.</v>
"""

SRT = b"""1
00:00:01,000 --> 00:00:04,000
Ana: How do you export today?
"""

INTERVIEW: dict[str, Any] = {
    "interview_id": "i-1",
    "request_id": "r-1",
    "study_id": "study-1",
    "participant_id": "p-1",
}


def scheduled(version: int = 1, starts_at: datetime = MONDAY_TEN, **changes: Any) -> InterviewScheduled:
    return InterviewScheduled(scheduled_at=MONDAY_TEN - 24 * HOUR, **_booking(version, starts_at) | changes)


def rescheduled(version: int = 2, starts_at: datetime = TUESDAY_TEN, **changes: Any) -> InterviewRescheduled:
    times = {"previous_starts_at": MONDAY_TEN, "rescheduled_at": MONDAY_TEN - 2 * HOUR}
    return InterviewRescheduled(**_booking(version, starts_at) | times | changes)


def cancelled(version: int = 2, **changes: Any) -> InterviewCancelled:
    times = {"cancelled_at": MONDAY_TEN - 2 * HOUR, "cancelled_by": "participant"}
    return InterviewCancelled(**INTERVIEW | {"version": version} | times | changes)


def erased(participant_id: str = "p-1") -> ParticipantErased:
    return ParticipantErased(participant_id=participant_id, erased_at=MONDAY_TEN)


def _booking(version: int, starts_at: datetime) -> dict[str, Any]:
    return INTERVIEW | {
        "version": version,
        "moderator_id": "ana",
        "note_taker_id": "ben",
        "starts_at": starts_at,
        "ends_at": starts_at + HOUR,
        "timezone": "Europe/Berlin",
        "questions": ("Can I export to a spreadsheet?",),
        "segment": Segment(plan="business"),
    }


class Desk:
    """What somebody signed in does over the API; every call gives the answer's status and JSON."""

    def __init__(self, service: ServiceUnderTest, role: str = "researcher", subject: str = "ana") -> None:
        self._service, self._headers = service, service.headers(role, subject)

    async def get(self, path: str) -> tuple[int, Any]:
        return await self._call("GET", path)

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        return await self._call("POST", path, json=body)

    async def put(self, path: str, body: Any = None) -> tuple[int, Any]:
        return await self._call("PUT", path, json=body)

    async def delete(self, path: str) -> tuple[int, Any]:
        return await self._call("DELETE", path)

    async def upload(self, session_id: str, content: bytes, kind: str = "text/vtt", query: str = "") -> tuple[int, Any]:
        path = f"sessions/{session_id}/transcript{query}"
        return await self._call("PUT", path, content=content, headers={"Content-Type": kind})

    async def session(self, session_id: str = BOOKED) -> Any:
        status, answer = await self.get(f"sessions/{session_id}")
        assert status == 200, answer
        return answer

    async def running(self) -> str:
        """The id of an ad-hoc session of participant p-1 that was started."""
        _, session = await self.post("sessions", {"participant_id": "p-1", "study_id": "study-1"})
        await self.post(f"sessions/{session['session_id']}/start")
        return str(session["session_id"])

    async def _call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **sent: Any
    ) -> tuple[int, Any]:
        answer = await self._service.client.request(
            method, f"/api/v1/{path}", headers=self._headers | (headers or {}), **sent
        )
        return answer.status_code, answer.json()
