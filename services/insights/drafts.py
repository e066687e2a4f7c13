"""What a person says about a passage, as it comes in, and checked against what was really said."""

from typing import Annotated
from unicodedata import normalize

from fastapi import Request
from pydantic import BeforeValidator, ConfigDict, Field

from shared.contract.parts import Sentiment
from shared.contract.types import Id, Line, Paragraph, Schema
from shared.runtime import not_found, unprocessable

from . import store_copies, transcripts
from .model import Content, Place, Session, clean_tags
from .quotes import Turn, locate


def _quote(given: object) -> object:
    return normalize("NFC", given).strip() or None if isinstance(given, str) else given


def _tags(given: object) -> object:
    if isinstance(given, list | tuple) and all(isinstance(tag, str) for tag in given):
        return clean_tags(given)
    return given


# Cleaned before the limits are checked: NFC can make a text longer.
Quote = Annotated[Paragraph | None, BeforeValidator(_quote)]
Tags = Annotated[tuple[Line, ...], BeforeValidator(_tags)]


class Draft(Schema):
    """An insight before it is checked; at least a quote, a tag or a feature must be there."""

    model_config = ConfigDict(extra="forbid")

    quote: Quote = Field(default=None, title="Quote", description="verbatim")
    turn: int | None = Field(
        default=None,
        ge=1,
        title="Turn",
        description="the turn of the transcript that holds the quote, counted from 1; none: typed by hand, unchecked",
    )
    feature_id: Id | None = Field(default=None, title="Feature")
    tags: Tags = Field(default=(), max_length=50, title="Tags")
    sentiment: Sentiment | None = Field(default=None, title="Feeling")
    importance: int = Field(
        default=1,
        ge=0,
        le=3,
        title="Importance",
        description="0 not important, 1 nice to have, 2 important, 3 critical",
    )


async def content_of(request: Request, session_id: str, draft: Draft) -> Content:
    """The draft's content; a quote with a turn is looked up there and kept as it was said.

    No transaction may be open: the transcript comes from another service, which may take its time.

    Raises:
        Problem: 404 for an unknown session, 422 for a draft that says nothing or a quote that is not in its turn, and
            what `transcripts.read` raises.
    """
    async with request.app.state.database.transaction() as tx:
        session = await store_copies.session(tx.connection, session_id)
    if session is None:
        raise not_found("session", session_id)
    quote, place = draft.quote, None
    if draft.turn is not None:
        quote, place = _found(quote, draft.turn, session, await transcripts.read(request, session))
    content = Content(quote, place, draft.feature_id, draft.tags, draft.sentiment, draft.importance)
    if not content.says_something:
        raise unprocessable("An insight needs a quote, a tag or a feature; fill in at least one of them.")
    return content


def _found(quote: str | None, number: int, session: Session, turns: list[Turn]) -> tuple[str, Place]:
    if quote is None:
        raise unprocessable("A turn without a quote says nothing; add the words that were said in it.")
    if number > len(turns):
        raise unprocessable(f"There is no turn {number}; the transcript has {len(turns)}.")
    turn = turns[number - 1]
    text = normalize("NFC", turn.text)
    span = locate(quote, text)
    if span is None:
        raise unprocessable(
            f"The quote is not in turn {number}; copy the words as they were said, or leave the turn out."
        )
    assert session.transcript is not None
    place = Place(number, *span, turn.start, turn.end, session.transcript.sha256)
    return " ".join(text[slice(*span)].split()), place
