from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.scheduling.availability import (
    LocalWindow,
    Schedule,
    Span,
    WeeklyRule,
    intersect,
    merge,
    open_windows,
    subtract,
)
from services.scheduling.zones import in_utc, minute_of_day, named_zone, wall_time

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = frozenset(range(1, 8))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def span(start: str, end: str) -> Span:
    return Span(at(start), at(end))


def written(spans: list[Span]) -> list[tuple[str, str]]:
    return [(f"{one.start:%m-%d %H:%M}", f"{one.end:%m-%d %H:%M}") for one in spans]


def every_day(zone: str, *windows: tuple[str, str]) -> Schedule:
    return Schedule(ZoneInfo(zone), (WeeklyRule(EVERY_DAY, tuple(LocalWindow.parse(*window) for window in windows)),))


@pytest.mark.parametrize(
    ("text", "minute"), [("00:00", 0), ("00:01", 1), ("09:30", 570), ("23:59", 1439), ("24:00", 1440)]
)
def test_time_of_day_is_minutes_after_midnight(text: str, minute: int) -> None:
    """A time of day is its minutes after midnight, and the day ends at 24:00."""
    assert minute_of_day(text) == minute


@pytest.mark.parametrize("text", ["24:01", "9:00", "09:60", "09.00", "", "noon", "09:00\n", "٠٩:٠٠"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    """Anything but HH:MM up to 24:00 is refused with the form to write."""
    with pytest.raises(ValueError, match="write HH:MM"):
        minute_of_day(text)


@pytest.mark.parametrize("name", ["Berlin", "", "../etc/passwd", "Europe", "Europe/Atlantis"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    """A name that is no IANA zone is refused with an example of one that is."""
    with pytest.raises(ValueError, match="Europe/Berlin"):
        named_zone(name)


def test_a_time_without_a_zone_is_refused() -> None:
    """A naive time is refused, because it names no instant."""
    with pytest.raises(ValueError, match="has no time zone"):
        in_utc(datetime(2026, 1, 12, 9))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("day", "minute", "zone", "utc"),
    [
        (date(2026, 3, 29), 150, "Europe/Berlin", "2026-03-29T01:30:00+00:00"),
        (date(2026, 10, 25), 150, "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        (date(2026, 10, 25), 180, "Europe/Berlin", "2026-10-25T02:00:00+00:00"),
        (date(2026, 10, 25), 1440, "Europe/Berlin", "2026-10-25T23:00:00+00:00"),
        (date(2026, 3, 8), 150, "America/New_York", "2026-03-08T07:30:00+00:00"),
        (date(2026, 10, 4), 135, "Australia/Lord_Howe", "2026-10-03T15:45:00+00:00"),
        (date(2026, 5, 1), 0, "Asia/Kathmandu", "2026-04-30T18:15:00+00:00"),
    ],
)
def test_wall_time_where_clocks_change(day: date, minute: int, zone: str, utc: str) -> None:
    """A skipped time moves forward by what was skipped and a doubled one is the first of the two."""
    assert wall_time(day, minute, ZoneInfo(zone)) == at(utc)


def test_hours_keep_their_wall_time_over_a_clock_change() -> None:
    """Nine to ten in Berlin is an hour later in UTC after summer time ends."""
    schedule = every_day("Europe/Berlin", ("09:00", "10:00"))
    assert written(open_windows(schedule, span("2026-10-24T00:00Z", "2026-10-26T00:00Z"))) == [
        ("10-24 07:00", "10-24 08:00"),
        ("10-25 08:00", "10-25 09:00"),
    ]


def test_a_window_across_a_clock_change_has_the_hours_that_pass() -> None:
    """One to five at night lasts three hours when clocks go forward and five when they go back."""
    schedule = every_day("Europe/Berlin", ("01:00", "05:00"))
    assert written(open_windows(schedule, span("2026-03-29T00:00Z", "2026-03-29T12:00Z"))) == [
        ("03-29 00:00", "03-29 03:00")
    ]
    assert written(open_windows(schedule, span("2026-10-25T00:00Z", "2026-10-25T12:00Z"))) == [
        ("10-24 23:00", "10-25 04:00")
    ]


def test_a_window_that_the_clocks_skip_holds_no_time() -> None:
    """A window from the skipped hour's middle to its end is not offered, nor turned around."""
    schedule = every_day("Europe/Berlin", ("02:30", "03:00"))
    assert open_windows(schedule, span("2026-03-29T00:00Z", "2026-03-29T12:00Z")) == []


def test_windows_that_touch_at_midnight_are_one() -> None:
    """An evening to 24:00 and the next day's first half hour make one window, also when asked from midnight on."""
    schedule = every_day("Europe/Berlin", ("23:00", "24:00"), ("00:00", "00:30"))
    assert written(open_windows(schedule, span("2026-01-12T23:00Z", "2026-01-13T12:00Z"))) == [
        ("01-12 22:00", "01-12 23:30")
    ]


def test_overlapping_rules_are_joined() -> None:
    """Rules of the same day that overlap are offered once, from the earliest start to the latest end."""
    monday = frozenset({1})
    schedule = Schedule(
        BERLIN,
        (
            WeeklyRule(monday, (LocalWindow.parse("09:00", "12:00"), LocalWindow.parse("11:00", "13:00"))),
            WeeklyRule(monday, (LocalWindow.parse("13:00", "14:00"), LocalWindow.parse("15:00", "16:00"))),
        ),
    )
    assert written(open_windows(schedule, span("2026-01-11T00:00Z", "2026-01-18T00:00Z"))) == [
        ("01-12 08:00", "01-12 13:00"),
        ("01-12 14:00", "01-12 15:00"),
    ]


def test_an_override_replaces_the_weekly_hours_of_its_date() -> None:
    """Exceptional hours replace the usual ones, and an empty exception closes the day."""
    usual = every_day("Europe/Berlin", ("09:00", "17:00"))
    overrides = {date(2026, 1, 12): (LocalWindow.parse("14:00", "15:00"),), date(2026, 1, 13): ()}
    schedule = Schedule(usual.zone, usual.weekly, overrides)
    assert written(open_windows(schedule, span("2026-01-12T00:00Z", "2026-01-15T00:00Z"))) == [
        ("01-12 13:00", "01-12 14:00"),
        ("01-14 08:00", "01-14 16:00"),
    ]


def test_days_are_those_of_the_schedule() -> None:
    """Monday in Kiritimati begins at ten in the morning of UTC's Sunday."""
    schedule = Schedule(ZoneInfo("Pacific/Kiritimati"), (WeeklyRule(frozenset({1}), (LocalWindow(0),)),))
    assert written(open_windows(schedule, span("2026-01-10T00:00Z", "2026-01-17T00:00Z"))) == [
        ("01-11 10:00", "01-12 10:00")
    ]


def test_windows_are_whole_and_only_those_that_reach_in() -> None:
    """A window that begins before the span is given whole, one that only touches it is left out."""
    schedule = every_day("UTC", ("08:00", "12:00"), ("13:00", "14:00"))
    assert written(open_windows(schedule, span("2026-01-12T11:00Z", "2026-01-12T13:00Z"))) == [
        ("01-12 08:00", "01-12 12:00")
    ]


@pytest.mark.parametrize(("start", "end"), [("17:00", "09:00"), ("09:00", "09:00"), ("22:00", "02:00")])
def test_a_window_must_end_after_it_starts(start: str, end: str) -> None:
    """A window that ends before it starts is refused with how to write hours past midnight."""
    with pytest.raises(ValueError, match=f"give {start} to 24:00 and, on the next day, 00:00 to {end}"):
        LocalWindow.parse(start, end)


def test_a_span_is_kept_in_utc() -> None:
    """The same instants written in another zone are the same span."""
    assert span("2026-01-12T10:00+01:00", "2026-01-12T11:00+01:00") == Span(
        datetime(2026, 1, 12, 9, tzinfo=UTC), datetime(2026, 1, 12, 10, tzinfo=UTC)
    )


def test_a_span_cannot_end_before_it_starts() -> None:
    """A span that runs backwards is refused."""
    with pytest.raises(ValueError, match="before it starts"):
        span("2026-01-12T11:00Z", "2026-01-12T10:00Z")


def test_span_arithmetic() -> None:
    """Spans are joined where they touch, cut to what both have, and freed of what is blocked in any order."""
    morning, noon = span("2026-01-12T09:00Z", "2026-01-12T12:00Z"), span("2026-01-12T12:00Z", "2026-01-12T13:00Z")
    late, early = span("2026-01-12T11:00Z", "2026-01-12T12:30Z"), span("2026-01-12T08:00Z", "2026-01-12T09:30Z")
    instant = span("2026-01-12T10:00Z", "2026-01-12T10:00Z")
    assert written(merge([noon, morning])) == [("01-12 09:00", "01-12 13:00")]
    assert written(intersect([morning, noon], [late])) == [
        ("01-12 11:00", "01-12 12:00"),
        ("01-12 12:00", "01-12 12:30"),
    ]
    assert intersect([morning], [noon]) == []
    assert written(subtract([morning], [late, early])) == [("01-12 09:30", "01-12 11:00")]
    assert written(subtract([morning], [instant])) == [("01-12 09:00", "01-12 10:00"), ("01-12 10:00", "01-12 12:00")]
    assert subtract([noon], [span("2026-01-12T00:00Z", "2026-01-13T00:00Z")]) == []
