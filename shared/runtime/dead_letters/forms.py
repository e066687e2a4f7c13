"""Dead letters as pages show them, and what people type into their forms."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.datastructures import FormData

from shared.contract.types import Paragraph, UtcTime
from shared.runtime.errors import unprocessable
from shared.ui import FieldError, field_id, parse_form

from . import record_text, store
from .bodies import Selection
from .search import Filter
from .store import KeptRecord
from .work import Outcome

VALUE_SHOWN = 20_000
HEADER_SHOWN = 500
KEY_SHOWN, KEY_LISTED = 300, 80
REASON_SHOWN, REASON_LISTED = 5000, 300
MOST_TYPED = 200_000
"""Characters of a value that a form can carry; what is longer is mended over the API."""


class Asked(BaseModel):
    """The filters as a person types them."""

    event_type: str = ""
    topic: str = ""
    key: str = ""
    since: Annotated[UtcTime | None, Field(title="Received since")] = None
    text: str = ""


class Reason(BaseModel):
    reason: Annotated[Paragraph, Field(title="Reason")]


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as the page shows it: nothing in it can act, and nothing is longer than the page can bear."""

    key: str | None
    value: str | None
    headers: Sequence[tuple[str, str | None]]

    @classmethod
    def of(cls, record: KeptRecord | store.Edit) -> "Shown":
        pretty = record_text.as_json(record.value)
        value = record.value if pretty is None else pretty.encode()
        return cls(
            key=None if record.key is None else record_text.shown(record.key, KEY_SHOWN),
            value=None if value is None else record_text.shown(value, VALUE_SHOWN),
            headers=[
                (
                    record_text.visible(name, KEY_SHOWN),
                    None if content is None else record_text.shown(content, HEADER_SHOWN),
                )
                for name, content in record.headers
            ],
        )


def safe(letter: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The letter with what its sender chose escaped and cut."""
    texts = {"event_type": KEY_LISTED, "event_id": KEY_LISTED, "reason": most, "complaint": most, "note": most}
    safe = {name: letter[name] and record_text.visible(letter[name], limit) for name, limit in texts.items()}
    key = letter["key"]
    return {**letter, **safe, "key": None if key is None else record_text.shown(key, KEY_LISTED)}


def typed(record: KeptRecord) -> dict[str, str]:
    """What of the record a form can carry there and back."""
    written = {
        "key": record_text.as_text(record.key or b""),
        "value": record_text.as_json(record.value) or record_text.as_text(record.value or b""),
        "headers": record_text.write_headers(record.headers),
    }
    return {
        name: text
        for name, text in written.items()
        if text is not None and len(text) <= MOST_TYPED and record_text.is_plain(text)
    }


def mended(record: KeptRecord, form: FormData) -> KeptRecord:
    """The record with what was changed in the form; what was left as it was keeps its very bytes.

    Raises:
        Problem: nothing was changed.
        record_text.Unreadable: the headers are none.
    """
    before, changes = typed(record), dict[str, Any]()
    for name in ("key", "value", "headers"):
        text = str(form.get(name, before.get(name, ""))).replace("\r\n", "\n")
        if text != before.get(name, ""):
            changes[name] = record_text.read_headers(text) if name == "headers" else (text.encode() or None)
    if not changes:
        raise unprocessable("Nothing was changed; mend the key, the value or the headers.")
    return replace(record, **changes)


def wanted(typed: Mapping[str, Any]) -> tuple[Filter, list[FieldError]]:
    asked, errors = parse_form(Asked, typed)
    asked = asked or Asked()
    given = {name: value for name, value in asked.model_dump().items() if value}
    state = typed.get("state") or "open"
    try:
        return Filter.model_validate(given | {"state": state}), errors
    except ValueError:
        return Filter(), [*errors, FieldError("text", "Shorten the filters.", field_id("text"), "Filters")]


def selection(form: FormData) -> Selection:
    """The letters that were ticked, or all that the filters find.

    Raises:
        Problem: none was ticked.
    """
    if str(form.get("do")).endswith("-all"):
        return Selection(filter=wanted(form)[0])
    try:
        ids = [UUID(str(ticked)) for ticked in form.getlist("letter")]
    except ValueError:
        ids = []
    if not ids:
        raise unprocessable("Tick the letters first, or take all that match.")
    return Selection(ids=ids)


def filters(typed: Mapping[str, Any]) -> str:
    """The filters as the query of an address."""
    names = ("state", "event_type", "topic", "key", "since", "text")
    return urlencode({name: value for name in names if (value := str(typed.get(name) or "").strip())})


def told(outcomes: Sequence[Outcome], *, more: bool) -> str:
    words = {
        "replayed": "took effect",
        "discarded": "discarded",
        "failed": "still fail",
        "waits": "wait for an earlier one of their key",
        "closed": "were closed already",
        "missing": "do not exist",
    }
    counts = Counter(outcome.result for outcome in outcomes)
    parts = [f"{count} {words[result]}" for result, count in counts.items()]
    told = ", ".join(parts) if parts else "There was nothing to do"
    return f"{told}. There are more; do it again." if more else f"{told}."


def cut(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:299]}…"  # noqa: PLR2004 - what a flash message may have
