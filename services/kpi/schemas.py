"""What the JSON endpoints take and give."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from services.kpi.impact import Verdict
from services.kpi.kpis import MOST
from services.kpi.store.impacts import Assessed
from shared.contract.types import Id, Line, UtcTime
from shared.runtime import Answer, Body


def _sensible(value: float) -> float:
    if abs(value) > MOST:
        raise ValueError("is larger than 1e100; check its unit")
    return value


Value = Annotated[float, AfterValidator(_sensible)]


class NewKpi(Body):
    kpi_id: Id | None = Field(default=None, description="yours, so that a repeated request adds nothing")
    name: Line
    unit: Line | None = Field(default=None, description="% for shares in per cent; they are shown as points")
    higher_is_better: bool = True


class NewObjective(Body):
    baseline: Value = Field(description="where the KPI stands at the start, in its unit")
    target: Value = Field(description="what it shall reach, in its unit")
    by: date | None = None


class NewMeasurement(Body):
    period_start: UtcTime
    period_end: UtcTime
    value: Value
    sample_size: int | None = Field(default=None, ge=0, le=2**53, description="answers behind the value")
    dimensions: Mapping[Line, Line] = Field(default_factory=dict, max_length=10, description="none: the whole")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.period_end <= self.period_start:
            raise ValueError("period_end must be later than period_start")
        return self


class ObjectiveAnswer(Answer):
    baseline: float
    target: float
    by: date | None


class KpiAnswer(Answer):
    kpi_id: Id
    name: str | None
    unit: str | None
    higher_is_better: bool
    objective: ObjectiveAnswer | None
    defined: bool = Field(description="false while it is known only because somebody measured it")
    created_at: datetime


class MeasurementAnswer(Answer):
    kpi_id: Id
    period_start: datetime
    period_end: datetime
    value: float
    sample_size: int | None
    dimensions: Mapping[str, str]
    measured_at: datetime


class RecordedAnswer(Answer):
    stored: int = Field(description="measurements that said something new; each is published")
    unchanged: int = Field(description="measurements that were known already, or overtaken by a later one")


class ReleaseAnswer(Answer):
    feature_id: Id
    title: str
    released_at: datetime
    kpi_ids: tuple[Id, ...]
    interviewees: int = Field(description="people who asked for it in interviews")


class AssessmentAnswer(Answer):
    feature_id: Id
    kpi_id: Id
    version: int
    verdict: Verdict
    effect: float = Field(description="average difference to what would have been, in the KPI's unit")
    effect_low: float
    effect_high: float
    smallest_visible_effect: float = Field(description="a smaller effect would hardly have been seen (80 % power)")
    unit: str | None
    periods_before: int
    periods_after: int
    released_at: datetime
    assessed_at: datetime

    @classmethod
    def of(cls, assessed: Assessed) -> Self:
        impact = assessed.impact
        return cls(
            feature_id=assessed.feature_id,
            kpi_id=assessed.kpi_id,
            version=assessed.version,
            verdict=impact.verdict,
            effect=impact.effect,
            effect_low=impact.low,
            effect_high=impact.high,
            smallest_visible_effect=impact.smallest_visible,
            unit=impact.unit,
            periods_before=impact.periods_before,
            periods_after=impact.periods_after,
            released_at=impact.released_at,
            assessed_at=assessed.assessed_at,
        )
