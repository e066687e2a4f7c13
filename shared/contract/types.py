"""The field types that events and HTTP bodies share, each with its limits."""

import re
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

__all__ = ["Email", "Id", "Line", "Paragraph", "Schema", "Segment", "Share", "UtcTime", "ZoneName", "read_time"]


def _storable(text: str) -> str:
    """PostgreSQL text holds any character but NUL and unpaired surrogates."""
    if "\x00" in text:
        raise ValueError("contains a NUL character; remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair; send well-formed Unicode") from None
    return text


_DATED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", re.ASCII)
"""How RFC 3339 times begin; pydantic would take a mere number for seconds since 1970."""

EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
"""A day within what datetime holds: every zone can show it, and asyncpg takes the very ends for infinity."""


def read_time(text: str) -> datetime:
    """A date and a time, t and z in either case; whether an offset is needed is the caller's rule.

    Raises:
        ValueError: the text is no such time.
    """
    if not _DATED.match(text):
        raise ValueError(f"{text[:60]!r} is no date and time")
    return datetime.fromisoformat(text.upper())


def _given_time(given: object) -> object:
    if isinstance(given, datetime):
        return given
    try:
        return read_time(given if isinstance(given, str) else "")
    except ValueError:
        raise PydanticCustomError(
            "datetime_parsing", "must be a date and a time with its offset: 2026-03-02T10:00:00Z"
        ) from None


def _in_utc(time: datetime) -> datetime:
    try:
        in_utc = time.astimezone(UTC)
    except OverflowError:
        in_utc = LATEST
    if not EARLIEST <= in_utc < LATEST:
        raise ValueError("lies outside the years 1 to 9999 in UTC")
    return in_utc


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone; use a name such as Europe/Berlin") from None
    return name


def _written_right(address: str) -> str:
    try:
        # Only the form is checked: a look-up would tie events to DNS; test_environment lets .test names through.
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as wrong:
        raise ValueError(f"is no e-mail address: {wrong}") from None


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")]
"""Any system's identifier: letters, digits and . _ : @ - , at most 128 characters, safe in keys and URLs."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_storable)]
Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_storable)]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_written_right)]
UtcTime = Annotated[AwareDatetime, BeforeValidator(_given_time), AfterValidator(_in_utc)]
ZoneName = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


class Schema(BaseModel):
    """Writers are strict, readers are tolerant: an unknown field is left alone, a wrong one is refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null", allow_inf_nan=False)


class Segment(Schema):
    """A participant's attributes at the moment of the event; each may be unknown."""

    plan: Line | None = None
    region: Line | None = None
    age_band: Line | None = None
    usage: Line | None = None
    loyalty: Line | None = None


Share = Annotated[float, Field(ge=0, le=1)]
