"""Rows of a board as files hold them: CSV or JSON lines, our own or another tool's columns.

What a spreadsheet would take for a formula gets an apostrophe in front when it is written, and loses it when read.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Literal, NamedTuple, get_args

from services.roadmap.ideas import Status
from shared.ui.sentences import Sentence

Kind = Literal["ideas", "votes", "comments", "people"]
Form = Literal["csv", "jsonl"]
Source = Literal["earshot", "fider", "canny"]
KINDS: tuple[Kind, ...] = get_args(Kind)

FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNKEPT = re.compile("[\\0\\ud800-\\udfff]")
"""What PostgreSQL does not take in a text."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
LONGEST_LINE = 200_000
"""Characters; an idea's description has 20,000."""

COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "ideas": (
        "id",
        "title",
        "description",
        "status",
        "answer",
        "visibility",
        "merged_into",
        "supporters",
        "created_at",
    ),
    "votes": ("idea", "person", "kind", "vote", "voted_at", "channel", "recorded_by", "source_url"),
    "comments": ("id", "idea", "parent", "person", "name", "body", "official", "visibility", "created_at"),
    "people": ("id", "kind", "name", "email", "language", "plan", "region", "loyalty", "trust"),
}

# Fider's column names are those of its CSV export; Canny's those of its API's objects, and of spreadsheets made of it.
_OTHER_NAMES: Mapping[Kind, Mapping[str, str]] = {
    "ideas": {
        "number": "id",
        "feature_id": "id",
        "post_id": "id",
        "details": "description",
        "response": "answer",
        "created": "created_at",
        "original_number": "merged_into",
    },
    "votes": {
        "post_id": "idea",
        "post": "idea",
        "feature_id": "idea",
        "number": "idea",
        "voter_id": "person",
        "voter": "person",
        "user_id": "person",
        "voter_email": "email",
        "user_email": "email",
        "created": "voted_at",
        "created_at": "voted_at",
    },
    "comments": {
        "post_id": "idea",
        "post": "idea",
        "feature_id": "idea",
        "number": "idea",
        "author_id": "person",
        "author": "person",
        "author_name": "name",
        "value": "body",
        "content": "body",
        "parent_id": "parent",
        "created": "created_at",
    },
    "people": {"user_id": "id", "person_id": "id", "user_email": "email", "created": "created_at"},
}
_STATUSES: Mapping[str, Status | None] = {
    "": "new",
    "open": "new",
    "started": "now",
    "completed": "shipped",
    "under_review": "considered",
    "in_progress": "now",
    "complete": "shipped",
    "closed": "declined",
    "duplicate": None,
}


class Row(NamedTuple):
    """One line of a file: its number, and its values by our names; `wrong` says why it cannot be read."""

    number: int
    values: Mapping[str, str]
    wrong: str | None = None


def lines_of(text: str) -> Iterator[str]:
    """The text's lines with their ends, as the reader of CSV wants them, without a second copy of the text."""
    return (found.group() for found in _LINE.finditer(text))


def read(kind: Kind, form: Form, lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a file, one after the other, whatever tool named its columns."""
    yield from (_read_csv if form == "csv" else _read_jsonl)(kind, lines)


def write(kind: Kind, form: Form, rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The lines of a file; `rows` have our names. Numbers and times are written the same in every language."""
    columns = COLUMNS[kind]
    if form == "jsonl":
        for row in rows:
            yield json.dumps({name: _plain(row.get(name)) for name in columns}, ensure_ascii=False) + "\n"
        return
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([guarded(_text(row.get(name))) for name in columns])


def guarded(text: str) -> str:
    """The cell as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def unguarded(text: str) -> str:
    """The cell as it was before it was guarded."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def status_of(given: str) -> Status | None:
    """Another tool's status as one of ours; None for a duplicate, which stands where its original stands.

    Raises ValueError for one that nobody knows.
    """
    name = _name(given)
    if name in _STATUSES:
        return _STATUSES[name]
    if name in get_args(Status):
        return name  # type: ignore[return-value]
    known = ", ".join(get_args(Status))
    raise ValueError(Sentence("the status %(given)r is unknown; use one of %(known)s", given=given[:60], known=known))


def time_of(given: str) -> datetime | None:
    """A moment in UTC; without an offset it is UTC already, a day is its start. None where nothing is given.

    Raises ValueError for what is no time.
    """
    if not given:
        return None
    try:
        read_as = datetime.fromisoformat(given.strip())
        return read_as.astimezone(UTC) if read_as.tzinfo else read_as.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            Sentence("%(given)r is no date; write 2026-03-02 or 2026-03-02T10:00:00Z", given=given[:60])
        ) from None


def _read_csv(kind: Kind, lines: Iterable[str]) -> Iterator[Row]:
    reader = csv.reader(_limited(lines), strict=True)
    begun = 1
    try:
        header = [_named(kind, cell) for cell in next(reader, [])]
        begun = reader.line_num + 1
        for cells in reader:
            if any(cells):
                values = {
                    name: unguarded(cell.strip()) for name, cell in zip(header, cells, strict=False) if cell.strip()
                }
                wrong = Sentence("it has more cells than the head") if len(cells) > len(header) else None
                yield _row(reader.line_num, values, wrong)
            begun = reader.line_num + 1
    except (csv.Error, ValueError) as fault:
        yield Row(begun, {}, Sentence("this is no CSV from here on: %(why)s", why=fault.args[0]))


def _read_jsonl(kind: Kind, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if len(line) > LONGEST_LINE:
            yield Row(number, {}, _too_long())
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            yield Row(number, {}, Sentence("this is no JSON"))
            continue
        if not isinstance(found, dict):
            yield Row(number, {}, Sentence("this is no JSON object"))
            continue
        yield _row(number, {_named(kind, name): text for name, value in _flat(found) if (text := _text(value))})


def _row(number: int, values: Mapping[str, str], wrong: str | None = None) -> Row:
    if wrong is None and any(_UNKEPT.search(value) for value in values.values()):
        wrong = Sentence("it has a character that cannot be kept, a NUL or half of a pair; remove it")
    return Row(number, values, wrong)


def _flat(found: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The object's values; of an object within, as tools give persons and posts, its id, e-mail and name."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield name, value.get("id")
            for inner in ("email", "name"):
                if name in {"voter", "author", "user"} and value.get(inner):
                    yield inner, value[inner]
        elif not isinstance(value, list):
            yield name, value


def _limited(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise ValueError(_too_long())
        yield line


def _too_long() -> Sentence:
    return Sentence("a line has more than %(most)s characters", most=f"{LONGEST_LINE:,}")


def _named(kind: Kind, given: str) -> str:
    name = _name(given.removeprefix("\ufeff"))
    return _OTHER_NAMES[kind].get(name, name)


def _name(given: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in given.lower()).split())


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _csv_line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
