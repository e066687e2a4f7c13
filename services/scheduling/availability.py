"""When a host can be met: weekly hours and exceptions in local wall time become spans of UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.zones import END_OF_DAY, in_utc, minute_of_day, wall_time

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open stretch of time, kept in UTC: what ends at noon does not touch what begins at noon."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", in_utc(self.start))
        object.__setattr__(self, "end", in_utc(self.end))
        if self.end < self.start:
            raise ValueError(f"a span cannot end ({self.end.isoformat()}) before it starts ({self.start.isoformat()})")


@dataclass(frozen=True, slots=True)
class LocalWindow:
    """Opening hours of one day in minutes after local midnight; holds no time when it ends at or before its start."""

    start: int
    end: int = END_OF_DAY

    @classmethod
    def parse(cls, start: str, end: str) -> LocalWindow:
        """The window from "HH:MM" to "HH:MM"; ValueError unless it ends after it starts."""
        window = cls(minute_of_day(start), minute_of_day(end))
        if window.end <= window.start:
            raise ValueError(
                f"{start} to {end} does not end after it starts; "
                f"for hours past midnight give {start} to 24:00 and, on the next day, 00:00 to {end}"
            )
        return window


@dataclass(frozen=True, slots=True)
class WeeklyRule:
    """The windows that hold on these days of every week; 1 is Monday, 7 Sunday."""

    iso_days: frozenset[int]
    windows: tuple[LocalWindow, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A host's hours where the host is; an override replaces all weekly hours of its date, an empty one closes it."""

    zone: ZoneInfo
    weekly: tuple[WeeklyRule, ...] = ()
    overrides: Mapping[date, tuple[LocalWindow, ...]] = field(default_factory=dict)

    def windows_on(self, day: date) -> Iterator[LocalWindow]:
        if day in self.overrides:
            yield from self.overrides[day]
            return
        for rule in self.weekly:
            if day.isoweekday() in rule.iso_days:
                yield from rule.windows


def open_windows(schedule: Schedule, span: Span) -> list[Span]:
    """The schedule's windows that reach into the span, whole, ordered, joined where they touch or overlap.

    They are not cut at the span's ends, so start times counted from a window's start do not move with the question.
    Hours without any gap are joined back to the local midnight before the span's first day.
    """
    first = span.start.astimezone(schedule.zone).date() - _DAY
    days = (span.end.astimezone(schedule.zone).date() - first).days + 1
    spans = (
        opened
        for day in (first + _DAY * number for number in range(days))
        for window in schedule.windows_on(day)
        if (opened := _opened(day, window, schedule.zone)) is not None
    )
    return [window for window in merge(spans) if window.start < span.end and span.start < window.end]


def _opened(day: date, window: LocalWindow, zone: ZoneInfo) -> Span | None:
    start, end = wall_time(day, window.start, zone), wall_time(day, window.end, zone)
    return Span(start, end) if start < end else None


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same time as ordered spans that neither touch nor overlap."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def intersect(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """The time in both; each side ordered and without overlaps, as `merge` gives it."""
    common: list[Span] = []
    left_at = right_at = 0
    while left_at < len(left) and right_at < len(right):
        one, other = left[left_at], right[right_at]
        start, end = max(one.start, other.start), min(one.end, other.end)
        if start < end:
            common.append(Span(start, end))
        if one.end < other.end:
            left_at += 1
        else:
            right_at += 1
    return common


def subtract(spans: Iterable[Span], blocks: Iterable[Span]) -> list[Span]:
    """What the blocks, in any order, leave of the spans; a block without length still parts what it lies in."""
    ordered = sorted(blocks)
    left: list[Span] = []
    for span in spans:
        start = span.start
        for block in ordered:
            if block.start >= span.end:
                break
            if block.end <= start:
                continue
            if start < block.start:
                left.append(Span(start, block.start))
            start = block.end
        if start < span.end:
            left.append(Span(start, span.end))
    return left
