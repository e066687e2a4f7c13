"""A KPI of 20 quiet weeks, a release, and 8 weeks on a higher level; everything a literal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contract.events import FeatureStatusChanged, InsightTagged, KpiMeasured

WEEK = timedelta(days=7)
FIRST = datetime(2025, 8, 4, tzinfo=UTC)
RELEASED = datetime(2025, 12, 22, tzinfo=UTC)
"""A Monday: exactly 20 weeks after the first."""

QUIET = [70.2, 69.1, 70.8, 69.6, 70.4, 69.9, 71.0, 69.3, 70.1, 70.6]
QUIET += [69.5, 70.3, 69.8, 70.7, 69.2, 70.0, 70.5, 69.4, 70.9, 69.7]
HIGHER = [75.1, 74.6, 75.4, 74.9, 75.3, 74.5, 75.0, 74.8]


def measured(week: int, value: float, kpi_id: str = "csat", **fields: Any) -> KpiMeasured:
    """The week's measurement, made on the day after it."""
    start = FIRST + week * WEEK
    given: dict[str, Any] = {"measured_at": start + WEEK + timedelta(days=1), "name": "CSAT", "unit": "%"}
    return KpiMeasured(kpi_id=kpi_id, period_start=start, period_end=start + WEEK, value=value, **given | fields)


def weeks(values: Sequence[float], first: int = 0, **fields: Any) -> list[KpiMeasured]:
    return [measured(first + place, value, **fields) for place, value in enumerate(values)]


def shipped(feature_id: str = "export", version: int = 1, **fields: Any) -> FeatureStatusChanged:
    given: dict[str, Any] = {"title": "New export", "status": "shipped", "released_at": RELEASED, "kpi_ids": ("csat",)}
    return FeatureStatusChanged(feature_id=feature_id, version=version, changed_at=RELEASED, **given | fields)


def tagged(insight_id: str, participant_id: str, version: int = 1, **fields: Any) -> InsightTagged:
    given: dict[str, Any] = {"feature_id": "export", "tagged_at": RELEASED}
    return InsightTagged(insight_id=insight_id, participant_id=participant_id, version=version, **given | fields)
