"""The company's own statuses and categories; a status behaves as one of the six types that others know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from services.roadmap.ideas import STATUSES, Idea, Status
from shared.ui.sentences import Sentence

Column = Literal["now", "next", "later", "shipped"]
COLUMNS: dict[Column, tuple[Status, ...]] = {
    "now": ("now",),
    "next": ("planned",),
    "later": ("new", "considered"),
    "shipped": ("shipped",),
}
"""What customers ask: what is being made, what comes next, what perhaps later, what is there. No dates, no promises."""

LONGEST_NAME = 40
"""Characters; it stands on a badge."""

MOST = 50
"""Statuses or categories; more than a person can choose from."""


@dataclass(frozen=True, slots=True)
class OwnStatus:
    """A place on the roadmap; without a name it is called as its type, in the reader's language."""

    status_id: str
    name: str | None
    type: Status
    position: int

    @property
    def is_built_in(self) -> bool:
        return self.status_id in STATUSES


@dataclass(frozen=True, slots=True)
class Category:
    """What ideas are sorted by, as customers see the product."""

    category_id: str
    name: str
    position: int


def why_not_removed(status: OwnStatus, used: int) -> Sentence | None:
    """Why a status must stay, and what to do; None for one that may go."""
    if status.is_built_in:
        return Sentence("The status of the type %(type)s is built in; rename it instead.", type=status.type)
    if used:
        return Sentence("%(used)s ideas are in this status; move them first.", used=used)
    return None


def fitting(status_id: str | None, status: Status, known: Collection[OwnStatus]) -> str | None:
    """The own status to keep for an idea that is in a type; None for the one that is called as the type.

    Raises ValueError for one that does not exist or is of another type.
    """
    if status_id is None or status_id == status:
        return None
    own = next((each for each in known if each.status_id == status_id), None)
    if own is None:
        raise ValueError(
            Sentence(
                "There is no status %(id)r; choose one of %(known)s.",
                id=status_id,
                known=", ".join(each.status_id for each in known),
            )
        )
    if own.type != status:
        raise ValueError(
            Sentence(
                "The status %(id)r is of the type %(type)s, not %(given)s; send that type with it.",
                id=status_id,
                type=own.type,
                given=status,
            )
        )
    return status_id


def column_of(idea: Idea) -> str:
    """The id of the status that the idea is shown in."""
    return idea.status_id or idea.status
