"""The demo study: invented people, an invented product, and numbers drawn with a fixed seed."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

STUDY = "demo-exports"
HOST = "demo-ana"
REQUEST = "demo-request-1"
FEATURE = "demo-csv-export"
KPI = "demo-csat"
INSIGHTS = ("demo-insight-1", "demo-insight-2")
VOTERS = ("demo-voter-1", "demo-voter-2", "demo-voter-3")
TRANSCRIPT = (Path(__file__).parent / "interview.vtt").read_bytes()
MODERATOR = "Ana"
WEEKS_BEFORE, WEEKS_AFTER = 26, 10
SEGMENT = {"plan": "team", "region": "EU", "usage": "weekly", "loyalty": "occasional"}

STUDY_BODY: dict[str, Any] = {
    "study_id": STUDY,
    "title": "How teams get their numbers out",
    "goal": "Learn where reports end up and what that costs",
    "length_minutes": 30,
    "buffer_after_minutes": 15,
    "notice_minutes": 60,
    "horizon_days": 21,
}
HOST_BODY: dict[str, Any] = {
    "host_id": HOST,
    "name": "Ana Ruiz",
    "email": "ana@earshot.example",
    "timezone": "Europe/Berlin",
    "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"}],
    "studies": [{"study_id": STUDY, "role": "moderator"}],
}
IDEAS: tuple[dict[str, Any], ...] = (
    {
        "feature_id": FEATURE,
        "title": "Export every report as CSV",
        "description": "One button on each report that gives its rows as a file.",
        "effort_weeks": 2,
        "kpi_ids": [KPI],
    },
    {
        "feature_id": "demo-dark-theme",
        "title": "A dark theme",
        "description": "Follow the system's setting.",
        "effort_weeks": 3,
        "kpi_ids": [],
    },
    {
        "feature_id": "demo-alerts",
        "title": "Tell me when a number leaves its range",
        "description": "An e-mail as soon as a measure crosses a line I set.",
        "effort_weeks": 4,
        "kpi_ids": [KPI],
    },
)
KPI_BODY: dict[str, Any] = {"kpi_id": KPI, "name": "Customer satisfaction", "unit": "points", "higher_is_better": True}
QUOTES: tuple[dict[str, Any], ...] = (
    {
        "insight_id": INSIGHTS[0],
        "turn": 2,
        "quote": "every Friday I copy forty numbers by hand into a spreadsheet",
        "feature_id": FEATURE,
        "tags": ["export", "manual work"],
        "sentiment": "negative",
        "importance": 3,
    },
    {
        "insight_id": INSIGHTS[1],
        "turn": 4,
        "quote": "I just want the rows as a file",
        "feature_id": FEATURE,
        "tags": ["export"],
        "sentiment": "neutral",
        "importance": 2,
    },
)


def demo_requested(now: datetime) -> dict[str, Any]:
    """Data of the DemoRequested event that the website would send; wishes for the next two working mornings."""
    wishes: list[dict[str, str]] = []
    day = now.astimezone(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    while len(wishes) < 2:  # noqa: PLR2004 - two wishes
        day += timedelta(days=1)
        if day.weekday() < 5:  # noqa: PLR2004 - Monday to Friday
            wishes.append({"start": day.isoformat(), "end": (day + timedelta(minutes=30)).isoformat()})
    return {
        "request_id": REQUEST,
        "requested_at": now.isoformat(),
        "contact": {"name": "Mara Lind", "email": "mara@customer.example", "company": "Lind & Co"},
        "timezone": "Europe/Stockholm",
        "preferred_times": wishes,
        "questions": ["Can I get my reports out as a file?"],
        "study_id": STUDY,
        "segment": SEGMENT,
    }


def released_at(now: datetime) -> datetime:
    """Ten weeks back, a Monday: the demo cannot wait for the effect, so it ships in the past."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return monday - timedelta(weeks=WEEKS_AFTER)


def satisfaction(release: datetime) -> list[dict[str, Any]]:
    """Weekly satisfaction around 72 points, four higher from the release on; invented, with a fixed seed."""
    chance = random.Random(7)  # noqa: S311 - reproducible numbers, no secret
    weeks = []
    for week in range(-WEEKS_BEFORE, WEEKS_AFTER):
        start = release + timedelta(weeks=week)
        level = 72 + (4 if week >= 0 else 0)
        weeks.append(
            {
                "period_start": start.isoformat(),
                "period_end": (start + timedelta(weeks=1)).isoformat(),
                "value": round(chance.gauss(level, 1.3), 2),
                "sample_size": 200,
            }
        )
    return weeks
