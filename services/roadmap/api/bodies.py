"""What the endpoints of the board take and give."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.roadmap.ideas import Confidence, Status, Visibility
from services.roadmap.schemas import Title
from shared.contract.types import Id, Line, Paragraph
from shared.runtime import Answer, Body

OWN_ID = "yours, so that a repeated request adds nothing"
Position = Annotated[int, Field(ge=0, le=10_000)]


class NewPlace(Body):
    """Where an idea stands on the board; what is left out is taken away."""

    status: Status
    status_id: Id | None = Field(default=None, description="the company's own status, of the type `status`")
    confidence: Confidence | None = Field(default=None, description="how sure the team is of when")
    category_id: Id | None = None


class NewComment(Body):
    """A comment of the team."""

    comment_id: Id | None = Field(default=None, description=OWN_ID)
    body: Paragraph
    parent_id: Id | None = None
    official: bool = False


class NewMerge(Body):
    feature_id: Id = Field(description="the idea that is merged")
    into_id: Id = Field(description="the idea that stands for both")


class NewEntry(Body):
    """An entry of the changelog, its text in Markdown."""

    title: Title
    body: Paragraph
    feature_ids: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    published: bool = False


class AddedEntry(NewEntry):
    """A new entry of the changelog."""

    entry_id: Id | None = Field(default=None, description=OWN_ID)


class NewStatus(Body):
    name: Line | None = Field(default=None, description="none: called as its type, for a built-in one")
    type: Status
    position: Position = 100


class NewCategory(Body):
    name: Line
    position: Position = 100


class CommentAnswer(Answer):
    """A comment; `feature_id` is where it was written, `author_kind` who speaks."""

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
    edited_at: datetime | None
    deleted_at: datetime | None


class MergeAnswer(Answer):
    merge_id: str
    feature_id: str
    into_id: str
    merged_at: datetime
    merged_by: str
    unmerged_at: datetime | None
    unmerged_by: str | None


class LookalikeAnswer(Answer):
    """Two ideas whose titles look alike; similarity 0 to 1."""

    first_id: str
    first_title: str
    second_id: str
    second_title: str
    similarity: float


class SimilarAnswer(Answer):
    feature_id: str
    title: str
    status: Status
    supporters: int


class EntryAnswer(Answer):
    entry_id: str
    title: str
    body: str
    feature_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class StatusAnswer(Answer):
    status_id: str
    name: str | None
    type: Status
    position: int


class CategoryAnswer(Answer):
    category_id: str
    name: str
    position: int
