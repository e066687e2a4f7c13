"""What the JSON endpoints take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.roadmap.ideas import Confidence, Idea, Status, Visibility
from shared.contract.parts import OnBehalf, VoterKind
from shared.contract.types import Id, Line, Paragraph, Segment, UtcTime
from shared.runtime import Answer, Body

Title = Annotated[Line, StringConstraints(strip_whitespace=True)]
Effort = Annotated[float, Field(gt=0, le=5200, description="person-weeks; none: not estimated, counted as 1")]
KpiIds = Annotated[tuple[Id, ...], Field(max_length=50, description="the KPIs it is meant to move")]


class NewIdea(Body):
    """An idea, or the name of one that is known from votes or insights alone."""

    feature_id: Id | None = Field(default=None, description="yours, so that a repeated request adds nothing")
    title: Title
    description: Paragraph | None = None
    effort_weeks: Effort | None = None
    kpi_ids: KpiIds = ()
    status: Status = "new"
    released_at: UtcTime | None = Field(default=None, description="with status shipped; none: now")


class IdeaChanges(Body):
    """What is left out stays as it is."""

    title: Title | None = None
    description: Paragraph | None = None
    effort_weeks: Effort | None = None
    kpi_ids: KpiIds | None = None


class StatusChange(Body):
    status: Status
    released_at: UtcTime | None = Field(default=None, description="with status shipped; none: now")
    note: Paragraph | None = Field(default=None, description="the answer customers read on the board")


class NewVote(Body):
    """One person's vote; the latest by `voted_at` holds."""

    voter_id: Id
    voter_kind: VoterKind = "customer"
    vote: Literal["up", "withdrawn"] = "up"
    voted_at: UtcTime | None = Field(default=None, description="none: now")
    channel: Line = "api"
    on_behalf: OnBehalf | None = None
    segment: Segment = Segment()


class IdeaAnswer(Answer):
    """An idea; `named` is false while it is known from votes or insights alone."""

    feature_id: str
    title: str
    description: str
    status: Status
    status_version: int
    status_note: str | None
    status_changed_at: datetime
    released_at: datetime | None
    effort_weeks: float | None
    kpi_ids: tuple[str, ...]
    votes: int = Field(description="distinct people who voted or asked for it in an interview")
    score: float
    named: bool
    created_at: datetime
    status_id: str | None = Field(description="the company's own status; none: the one called as its type")
    category_id: str | None
    confidence: Confidence | None
    visibility: Visibility
    answered_by: str | None
    answered_at: datetime | None
    merged_into: str | None = Field(description="the idea that stands for it")


class VoteAnswer(Answer):
    """The vote as it was counted, and how many people support the idea now."""

    feature_id: str
    voter_id: str
    vote: Literal["up", "withdrawn"]
    voted_at: datetime
    votes: int


class SummaryAnswer(Answer):
    """People behind an idea: `supporters` counts each once, however they said it."""

    feature_id: str
    supporters: int
    up: int
    withdrawn: int
    on_behalf: int
    interviewed: int
    by_kind: dict[str, int]
    by_channel: dict[str, int]


def idea_answer(idea: Idea, score: float) -> IdeaAnswer:
    """The idea and its score, which is computed anew for every answer."""
    own = {name: getattr(idea, name) for name in IdeaAnswer.model_fields if name not in {"votes", "score"}}
    return IdeaAnswer(**own, votes=idea.supporters, score=score)
