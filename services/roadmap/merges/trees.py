"""Ideas that are the same: which of them survives, and on which of them a vote is recorded.

The merges not undone form trees. The root of a tree is the survivor, which stands for all of them; merging a survivor
takes along what was merged into it, and undoing a merge gives back exactly what it took.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.roadmap.ideas import Idea
from shared.ui.sentences import Sentence

LARGEST = 500
"""Ideas that may be merged into one."""


class Merge(NamedTuple):
    """One idea was merged into another, and perhaps parted from it again."""

    merge_id: str
    feature_id: str
    into_id: str
    merged_at: datetime
    merged_by: str
    unmerged_at: datetime | None = None
    unmerged_by: str | None = None

    def holds_at(self, moment: datetime) -> bool:
        return self.merged_at <= moment and (self.unmerged_at is None or moment < self.unmerged_at)


def recorded_on(feature_id: str, voted_at: datetime, merges: Iterable[Merge]) -> str:
    """The idea that a vote of this moment is recorded on: the survivor of that moment.

    It follows from the vote's own time, whenever and however often the vote comes, so that undoing a merge leaves
    every vote where it was cast.
    """
    then = {merge.feature_id: merge.into_id for merge in merges if merge.holds_at(voted_at)}
    return root_of(feature_id, then)


def root_of(feature_id: str, into: Mapping[str, str]) -> str:
    """The end of the chain that begins with the idea; `into` names the next of each."""
    while feature_id in into:
        feature_id = into[feature_id]
    return feature_id


def survivors(feature_ids: Iterable[str], merges: Sequence[Merge]) -> dict[str, str | None]:
    """What each idea is merged into at last by the merges not undone; None for one that stands for itself."""
    into = {merge.feature_id: merge.into_id for merge in merges if merge.unmerged_at is None}
    roots = {feature_id: root_of(feature_id, into) for feature_id in feature_ids}
    return {feature_id: None if root == feature_id else root for feature_id, root in roots.items()}


def why_not(idea: Idea, into: Idea) -> Sentence | None:
    """Why the one idea cannot be merged into the other, and what to do; None where it can."""
    if idea.feature_id == into.feature_id:
        return Sentence("An idea cannot be merged into itself; choose another one.")
    if idea.merged_into == into.feature_id:
        return Sentence("“%(title)s” is merged into “%(into)s” already.", title=idea.title, into=into.title)
    return _why_not_either(idea) or _why_not_either(into)


def _why_not_either(idea: Idea) -> Sentence | None:
    if idea.merged_into is not None:
        return Sentence(
            "“%(title)s” is itself merged into the idea %(into)r; choose that one or undo it first.",
            title=idea.title,
            into=idea.merged_into,
        )
    if not idea.named:
        return Sentence("Nobody has named the idea %(id)r yet; give it a title first.", id=idea.feature_id)
    if not idea.public:
        return Sentence("“%(title)s” is not on the board; publish it first.", title=idea.title)
    if idea.status == "shipped":
        return Sentence("“%(title)s” is shipped; reopen it first, or leave both as they are.", title=idea.title)
    if idea.closed:
        return Sentence("“%(title)s” is declined; reopen it first, or leave both as they are.", title=idea.title)
    return None
