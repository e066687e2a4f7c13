"""Local wall time and IANA zones at the edge, UTC inside: where one becomes the other."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

END_OF_DAY = 24 * 60
"""Minute of the day that 24:00 is: the next day's midnight, as the end of a window."""

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


def named_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone; use a name such as Europe/Berlin") from None


def minute_of_day(text: str) -> int:
    """Minutes after midnight of "HH:MM", 0 to 1440 for "24:00"; ValueError for anything else."""
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day; write HH:MM from 00:00 to 24:00")
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def wall_time(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The UTC instant at which clocks in the zone show that minute of that day.

    A time the clocks skip moves forward by what they skip; one they show twice is the first (RFC 5545, 3.3.5).
    """
    # Adding to an aware datetime moves its wall clock, which is what a minute of the day means here and nowhere else.
    return (datetime.combine(day, time(), tzinfo=zone) + timedelta(minutes=minute)).astimezone(UTC)


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC, where adding a timedelta is elapsed time; ValueError for a time without a zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; add its offset, such as Z or +02:00")
    return moment.astimezone(UTC)
