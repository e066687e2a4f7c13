"""Events and bodies the tests start from."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contract.events import FeatureStatusChanged, KpiImpactAssessed, ParticipantErased, SessionCompleted
from shared.contract.parts import Transcript
from shared.contract.types import Segment

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SHA256 = "a" * 64

TURNS = [
    {"speaker": "Mara", "start": 0.0, "end": 3.5, "text": "How do you close the month?"},
    {
        "speaker": "Ana",
        "start": 4.0,
        "end": 12.25,
        "text": "I export it 😀, then I rebuild\nthe same sheet every Monday. That is my job now.",
    },
    {"speaker": "Mara", "start": 3725.0, "end": 3730.0, "text": "Thank you <script>alert(1)</script>!"},
]


def completed(session_id: str = "s-1", participant_id: str = "ana", **changes: Any) -> SessionCompleted:
    """An interview that took place, by default without a transcript."""
    return SessionCompleted(
        **{
            "session_id": session_id,
            "interview_id": "i-1",
            "study_id": "study-1",
            "participant_id": participant_id,
            "completed_at": MONDAY,
            "segment": Segment(plan="business", region="north"),
            **changes,
        }
    )


def transcript_at(address: str) -> Transcript:
    return Transcript(url=address, format="vtt", sha256=SHA256)


def status(feature_id: str = "export", version: int = 1, title: str = "Export that keeps formulas") -> Any:
    return FeatureStatusChanged(
        feature_id=feature_id, version=version, title=title, status="planned", changed_at=MONDAY
    )


def assessed(version: int = 1, effect: float = 4.1, kpi_id: str = "activation", **changes: Any) -> KpiImpactAssessed:
    return KpiImpactAssessed(
        **{
            "feature_id": "export",
            "kpi_id": kpi_id,
            "version": version,
            "released_at": MONDAY,
            "effect": effect,
            "effect_low": 1.2,
            "effect_high": 7.0,
            "unit": "points",
            "verdict": "improved",
            "periods_before": 30,
            "periods_after": 14,
            "assessed_at": MONDAY + timedelta(days=14),
            **changes,
        }
    )


def erased(participant_id: str = "ana") -> ParticipantErased:
    return ParticipantErased(participant_id=participant_id, erased_at=MONDAY + timedelta(days=1))


def insight(session_id: str = "s-1", **changes: Any) -> dict[str, Any]:
    """A body for POST /api/v1/insights."""
    return {
        "session_id": session_id,
        "quote": "I rebuild the same sheet every Monday.",
        "feature_id": "export",
        "tags": ["export", "manual work"],
        "sentiment": "negative",
        "importance": 3,
        **changes,
    }
