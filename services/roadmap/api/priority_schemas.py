"""What the endpoints of priorities take and give."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from services.roadmap.ideas import Status
from services.roadmap.priority.lenses import Estimates, LensName
from services.roadmap.priority.scoring import KanoAnswer
from shared.runtime import Answer, Body

Points = Annotated[float, Field(ge=0, le=100)]
Tenth = Annotated[float, Field(ge=0, le=10)]


class CellAnswer(Answer):
    """One line of the explanation; contributions add up to the share."""

    cell: str = Field(description="loyalty|plan|region; – where unknown")
    supporters: int
    active: int
    population_share: float
    weight: float
    contribution: float


class MoverAnswer(Answer):
    """The segment whose weighting moved the idea's share most."""

    cell: str
    population_share: float = Field(description="its part of the customer base")
    active_share: float = Field(description="its part of those who took part")
    support: float = Field(description="the part of its people who support the idea")
    effect: float = Field(description="what weighting it adds to the idea's share")


class PassingAnswer(Answer):
    """What would bring the idea level with the one above, each alone; null where that alone cannot."""

    feature_id: str = Field(description="the idea above")
    score: float
    effort_weeks: float | None = Field(description="at most")
    share: float | None = Field(description="at least")
    impact: float | None = Field(description="at least")


class WordAnswer(Answer):
    """What somebody said about the idea; the latest of each participant is their importance."""

    insight_id: str
    participant_id: str
    session_id: str | None
    quote: str | None
    importance: int
    tagged_at: datetime


class ReadingAnswer(Answer):
    """What another formula makes of the idea; null where inputs are missing."""

    value: float | None
    missing: tuple[str, ...]


class TimesAnswer(Answer):
    """How old the inputs are; null where there are none."""

    voted_at: datetime | None = Field(description="the latest vote")
    said_at: datetime | None = Field(description="the latest word in an interview")
    measured_at: datetime | None = Field(description="end of the oldest latest period of its KPIs")
    frame_at: datetime | None = Field(description="when the customer base was entered or measured")


class PriorityAnswer(Answer):
    """A priority as of now with every term; score = conservative_reach x impact x kpi_factor / effort_weeks."""

    feature_id: str
    score: float
    published_version: int = Field(description="of the last FeaturePriorityChanged; 0: none yet")
    raw_votes: int
    cells: tuple[CellAnswer, ...]
    share: float
    share_low: float
    share_high: float
    effective_sample_size: float
    population: float
    covered_share: float
    weighted: bool
    conservative_reach: float
    impact: float
    kpi_gap: float
    kpi_factor: float
    effort_weeks: float
    effort_assumed: bool
    mean_support: float
    formula: str
    rank: int | None = Field(description="among open ideas, from 1")
    unweighted_rank: int | None
    unweighted_score: float
    unweighted_share: float
    ranked: int = Field(description="how many open ideas there are")
    moved_most_by: MoverAnswer | None
    to_pass_the_next: PassingAnswer | None
    words: tuple[WordAnswer, ...]
    lenses: dict[LensName, ReadingAnswer]
    as_of: datetime
    inputs_at: TimesAnswer


class RankedAnswer(Answer):
    """One idea in the order that was asked for; `value` is that formula's, null without an estimate."""

    rank: int
    feature_id: str
    status: Status
    score: float
    share: float
    share_low: float
    votes: int
    value: float | None


class KanoCount(Body):
    """So many people gave this pair of answers: if we had it, if we did not."""

    functional: KanoAnswer
    dysfunctional: KanoAnswer
    people: int = Field(ge=0, le=1_000_000)


class NewEstimates(Body):
    """What other formulas ask for; null is not estimated, and such a formula then gives no number."""

    impact: float | None = Field(
        default=None, gt=0, le=3, description="3 massive, 2 high, 1 medium, 0.5 low, 0.25 least"
    )
    confidence: float | None = Field(default=None, ge=0, le=1)
    ease: float | None = Field(default=None, ge=1, le=10)
    value: Points | None = None
    criticality: Points | None = None
    risk: Points | None = None
    importance: Tenth | None = Field(default=None, description="share of people answering 4 or 5 of 5, times 10")
    satisfaction: Tenth | None = Field(default=None, description="the same")
    kano: Annotated[tuple[KanoCount, ...], Field(max_length=25)] = ()

    @property
    def estimates(self) -> Estimates:
        answers = {(count.functional, count.dysfunctional): count.people for count in self.kano}
        return Estimates(**self.model_dump(exclude={"kano"}), kano=answers)


class EstimatesAnswer(Answer):
    """What is estimated, when it was last changed and by whom."""

    impact: float | None
    confidence: float | None
    ease: float | None
    value: float | None
    criticality: float | None
    risk: float | None
    importance: float | None
    satisfaction: float | None
    kano: Sequence[KanoCount]
    changed_at: datetime | None
    changed_by: str | None

    @classmethod
    def of(cls, given: Estimates, changed: tuple[datetime, str] | None) -> Self:
        own = {
            name: getattr(given, name) for name in cls.model_fields if name not in {"kano", "changed_at", "changed_by"}
        }
        counts = [
            KanoCount(functional=functional, dysfunctional=dysfunctional, people=people)
            for (functional, dysfunctional), people in sorted(given.kano.items())
        ]
        at, by = changed or (None, None)
        return cls(**own, kano=counts, changed_at=at, changed_by=by)
