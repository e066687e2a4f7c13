"""An idea's life from a wish to something shipped or declined."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from shared.ui.sentences import Sentence

Status = Literal["new", "considered", "planned", "now", "shipped", "declined"]
STATUSES: tuple[Status, ...] = get_args(Status)
Visibility = Literal["pending", "published", "spam", "archived"]
Confidence = Literal["low", "medium", "high"]
CLOSED: frozenset[Status] = frozenset({"shipped", "declined"})

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far other systems' clocks may be ahead of ours."""


class Stage(NamedTuple):
    """Where an idea stands, which is all that a vote needs to know of it."""

    feature_id: str
    status: Status
    status_changed_at: datetime
    merged_into: str | None = None
    regrouped: bool = False

    @property
    def closed(self) -> bool:
        return self.status in CLOSED


@dataclass(frozen=True, slots=True)
class Idea:
    """One idea as it stands; `supporters` counts distinct people, `effort_weeks` is None until somebody estimated it.

    `status_version` rises by one whenever others are told; 0 is an idea that is known from votes or insights alone, or
    that somebody sent in over the board and nobody has published yet.
    `status_id` names the company's own status, None the one that is called as its type; `author_id` is None for the
    team's own ideas. `merged_into` names the survivor of the merge it is part of; `regrouped` says whether a merge
    ever concerned it.
    """

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
    supporters: int
    created_at: datetime
    status_id: str | None = None
    category_id: str | None = None
    confidence: Confidence | None = None
    visibility: Visibility = "published"
    author_id: str | None = None
    author_name: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None
    merged_into: str | None = None
    regrouped: bool = False

    @property
    def named(self) -> bool:
        return self.status_version > 0

    @property
    def closed(self) -> bool:
        return self.status in CLOSED

    @property
    def stage(self) -> Stage:
        return Stage(self.feature_id, self.status, self.status_changed_at, self.merged_into, self.regrouped)

    @property
    def public(self) -> bool:
        return self.named and self.visibility == "published"


def moved(idea: Idea, status: Status, *, released_at: datetime | None, note: str | None, now: datetime) -> Idea:
    """The idea in its new status; one version on where others need to know, which they do not of a note alone.

    An idea that is shipped already keeps its release time unless another one is given.
    Raises ValueError for a release time that does not fit.
    """
    released = _release(idea, status, released_at, now)
    target = replace(idea, status=status, released_at=released, status_note=note)
    if idea.named and (status, released) == (idea.status, idea.released_at):
        return target
    return replace(target, status_version=idea.status_version + 1, status_changed_at=now)


def _release(idea: Idea, status: Status, released_at: datetime | None, now: datetime) -> datetime | None:
    if status != "shipped":
        if released_at is not None:
            raise ValueError(
                Sentence("released_at goes with status shipped, not with %(status)s; leave it out.", status=status)
            )
        return None
    if released_at is not None and released_at > now + CLOCK_TOLERANCE:
        raise ValueError(
            Sentence(
                "released_at %(time)s UTC lies ahead; set shipped once customers have it.",
                time=f"{released_at:%Y-%m-%d %H:%M}",
            )
        )
    return released_at or idea.released_at or now
