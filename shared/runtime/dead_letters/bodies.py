"""What is sent and answered about dead letters over HTTP."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from shared.contract.types import Paragraph
from shared.runtime.bodies import Answer, Body

from . import record_text
from .search import After, Filter
from .store import Edit, KeptRecord, State
from .work import Outcome, Result, Verdict

KEY_SHOWN = 300
MOST = 1000
"""How many letters one request lists, replays or discards at most."""


class Listing(Filter):
    """A page of the list."""

    after: After = 0
    limit: int = Field(default=100, ge=1, le=MOST, description="how many at most")


class DeadLetter(Answer):
    """A record that could not be handled, and what became of it."""

    id: UUID
    number: int = Field(description="in the order of their arrival")
    topic: str
    partition: int
    offset: int
    key_text: str | None = Field(description="as it counts now, what is not printable escaped")
    event_id: str | None
    event_type: str | None
    reason: str
    received_at: datetime
    repeats: int = Field(description="how often the very same event came again")
    edits: int
    tried_at: datetime | None = Field(description="the last replay that failed")
    tried_by: str | None
    complaint: str | None = Field(description="why it failed")
    state: State
    closed_at: datetime | None
    closed_by: str | None
    note: str | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        return cls.model_validate(row | {"key_text": _key_text(row["key"])})


class RecordAsText(Answer):
    """Key, value and headers: in base64, and as text where they are text."""

    key: str | None
    key_text: str | None
    value: str | None
    value_text: str | None
    value_json: str | None = Field(description="indented, where the value is JSON")
    headers: list[tuple[str, str | None]]
    headers_text: list[tuple[str, str | None]] = Field(description="what is no UTF-8 is null here")

    @classmethod
    def fields_of(cls, record: KeptRecord | Edit) -> dict[str, Any]:
        return {
            "key": _base64(record.key),
            "key_text": record_text.as_text(record.key),
            "value": _base64(record.value),
            "value_text": record_text.as_text(record.value),
            "value_json": record_text.as_json(record.value),
            "headers": [(name, _base64(content)) for name, content in record.headers],
            "headers_text": [(name, record_text.as_text(content)) for name, content in record.headers],
        }


class MendedRecord(RecordAsText):
    """One edit; the last one is what a replay handles."""

    number: int
    edited_by: str
    edited_at: datetime


class Repeat(Answer):
    """A place where the very same event came again."""

    cluster: str
    partition: int
    offset: int
    received_at: datetime


class Judged(Answer):
    """Whether the record, as it is after its last edit, would be taken as an event; its handler may still refuse it."""

    accepted: bool
    detail: str


class WholeDeadLetter(DeadLetter, RecordAsText):
    """With the record as it came, its edits and its repeats."""

    edited: list[MendedRecord]
    repeated: list[Repeat]
    verdict: Judged

    @classmethod
    def made_of(
        cls, row: dict[str, Any], record: KeptRecord, edits: Sequence[Edit], repeats: list[Any], verdict: Verdict
    ) -> Self:
        mended = [
            RecordAsText.fields_of(one) | {"number": one.number, "edited_by": one.edited_by, "edited_at": one.edited_at}
            for one in edits
        ]
        return cls.model_validate(
            row
            | RecordAsText.fields_of(record)
            | {
                "edited": mended,
                "repeated": repeats,
                "verdict": {"accepted": verdict.accepted, "detail": verdict.detail},
            }
        )


def _decoded(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("is no base64; send text as key_text, value_text or headers_text") from None
    return text


Base64 = Annotated[str, AfterValidator(_decoded)]


class EditLetter(Body):
    """What to change; a field that is left out stays as it is, null takes the key or the value away."""

    key: Base64 | None = None
    key_text: str | None = None
    value: Base64 | None = None
    value_text: str | None = None
    headers: list[tuple[str, Base64 | None]] | None = Field(default=None, description="all of them; values in base64")
    headers_text: list[tuple[str, str | None]] | None = Field(default=None, description="all of them; values as text")
    after_edits: int | None = Field(default=None, ge=0, description="refuse unless the letter has that many edits")

    @model_validator(mode="after")
    def _one_form_of_each(self) -> Self:
        given = self.model_fields_set - {"after_edits"}
        if not given:
            raise ValueError("changes nothing; send a key, a value or headers")
        for name in ("key", "value", "headers"):
            if {name, f"{name}_text"} <= given:
                raise ValueError(f"send {name} or {name}_text, not both")
        if (given & {"headers", "headers_text"}) and self.headers is None and self.headers_text is None:
            raise ValueError("headers cannot be null; send an empty list for none")
        return self

    def mend(self, record: KeptRecord) -> KeptRecord:
        """The record with the changes."""
        given, changes = self.model_fields_set, dict[str, Any]()
        for name in ("key", "value"):
            if name in given:
                changes[name] = _bytes(getattr(self, name))
            elif f"{name}_text" in given:
                text = getattr(self, f"{name}_text")
                changes[name] = None if text is None else text.encode()
        if self.headers is not None:
            changes["headers"] = [(name, _bytes(content)) for name, content in self.headers]
        elif self.headers_text is not None:
            changes["headers"] = [(name, None if text is None else text.encode()) for name, text in self.headers_text]
        return replace(record, **changes)


class Selection(Body):
    """The letters of these ids, or the open ones that the filter finds."""

    ids: list[UUID] | None = Field(default=None, max_length=MOST)
    filter: Filter | None = None
    after: After = 0
    limit: int = Field(default=MOST, ge=1, le=MOST, description="how many at most")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("send ids or filter, one of both")
        return self


class Discard(Body):
    reason: Paragraph


class DiscardMany(Selection):
    reason: Paragraph


class LetterOutcome(Answer):
    """What became of one letter; `waits`: an earlier one of its topic and key is open; `closed`: it was already."""

    id: UUID
    result: Result
    detail: str | None


class Outcomes(Answer):
    """What became of each letter; `next` goes into `after` to take up the rest of a filter's letters."""

    outcomes: list[LetterOutcome]
    next: int | None

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], following: int | None) -> Self:
        return cls(outcomes=[LetterOutcome.model_validate(one) for one in outcomes], next=following)


def _key_text(key: bytes | None) -> str | None:
    return None if key is None else record_text.shown(key, KEY_SHOWN)


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
