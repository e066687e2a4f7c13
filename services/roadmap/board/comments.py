"""What people say about an idea: threads, reactions, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from services.roadmap.ideas import Visibility

Reaction = Literal["agree", "thanks", "love", "surprised"]
REACTIONS: tuple[Reaction, ...] = get_args(Reaction)

DEPTH = 2
"""Levels that are shown; an answer to an answer stands beside it."""

LONGEST = 20_000
"""Characters of a comment."""

_MENTION = re.compile(r"(?<![\w@/])@([a-z0-9][a-z0-9._-]{0,58}[a-z0-9]|[a-z0-9])", re.IGNORECASE)
_NOT_IN_HANDLES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment as it is stored; a deleted one keeps its place in the thread without words."""

    comment_id: str
    feature_id: str
    parent_id: str | None
    author_id: str | None
    author_kind: str
    author_name: str | None
    body: str
    official: bool
    pinned: bool
    visibility: Visibility
    created_at: datetime
    edited_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(slots=True)
class Thread:
    """A comment with its answers, oldest first."""

    comment: Comment
    answers: list[Thread] = field(default_factory=list)


def threads(comments: Iterable[Comment], reader_id: str | None = None) -> list[Thread]:
    """Comments as a reader sees them: pinned ones first, then as they were written, answers beside what they answer.

    Only what is published is shown, and to its author what still waits. A deleted comment is shown for the sake of
    its answers alone.
    """
    seen = {
        comment.comment_id: comment
        for comment in comments
        if comment.visibility == "published" or (comment.visibility == "pending" and comment.author_id == reader_id)
    }
    tops = {name: Thread(each) for name, each in seen.items() if _top(each, seen) is each}
    for each in sorted(seen.values(), key=_age):
        top = _top(each, seen)
        if top is not each and each.deleted_at is None and top.comment_id in tops:
            tops[top.comment_id].answers.append(Thread(each))
    shown = [thread for thread in tops.values() if thread.answers or thread.comment.deleted_at is None]
    return sorted(shown, key=lambda thread: (not thread.comment.pinned, _age(thread.comment)))


def _top(comment: Comment, seen: Mapping[str, Comment]) -> Comment:
    """The comment of the first level that this one stands under; one whose parent is not shown begins a thread."""
    while comment.parent_id is not None and comment.parent_id in seen:
        comment = seen[comment.parent_id]
    return comment


def _age(comment: Comment) -> tuple[datetime, str]:
    return comment.created_at, comment.comment_id


def may_change(comment: Comment, person_id: str | None) -> bool:
    """Whether the person may edit or delete it: the author alone, as long as it has words."""
    return person_id is not None and comment.author_id == person_id and comment.deleted_at is None


def mentioned(text: str, known: Sequence[str]) -> list[str]:
    """The handles of colleagues that the text names with an @, each once; an address names nobody."""
    found = (match.group(1).lower().rstrip(".") for match in _MENTION.finditer(text))
    return [handle for handle in dict.fromkeys(found) if handle in set(known)]


def handle_of(name: str) -> str:
    """What a colleague is mentioned as: the name in small letters with dots, e.g. "ana.ruiz"."""
    return _NOT_IN_HANDLES.sub(".", name.lower().partition("@")[0]).strip(".")[:60] or "colleague"
