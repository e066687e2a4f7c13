from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.scheduling.availability import Span
from services.scheduling.slots import (
    Busy,
    Caps,
    Grid,
    GridPolicy,
    Horizon,
    Host,
    HostMode,
    Meeting,
    Opening,
    Period,
    Team,
    free_starts,
    free_teams,
    teams_of,
)

RESTART = GridPolicy.FREE_RANGE_RESTART
KOLKATA = ZoneInfo("Asia/Kolkata")
UTC = ZoneInfo("UTC")
LONG_AGO = datetime.fromisoformat("2025-12-01T00:00Z")
HOUR = timedelta(hours=1)
MONDAY = "2026-01-12"


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"{MONDAY}T{time}Z" if "T" not in time else time)


def span(start: str, end: str) -> Span:
    return Span(at(start), at(end))


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def meeting(length: int = 60, step: int | None = None, **more: Any) -> Meeting:
    return Meeting(length=minutes(length), step=minutes(step or length), **more)


def host(name: str, *windows: tuple[str, str], fixed: bool = False) -> Host:
    return Host(name, tuple(span(*window) for window in windows), fixed)


def openings(
    teams: Sequence[Team], what: Meeting, busy: Mapping[str, Sequence[Busy]] | None = None, **more: Any
) -> list[Opening]:
    within = more.pop("span", span("2026-01-12T00:00Z", "2026-01-13T00:00Z"))
    return free_starts(teams, what, busy or {}, more.pop("now", LONG_AGO), within, **more)


def starts(*arguments: Any, **more: Any) -> list[str]:
    return [f"{opening.start:%H:%M}" for opening in openings(*arguments, **more)]


def alone(*windows: tuple[str, str]) -> list[Team]:
    return [(host("ada", *windows),)]


def taken(start: str, end: str, before: int = 0, after: int = 0) -> dict[str, list[Busy]]:
    return {"ada": [Busy(span(start, end), minutes(before), minutes(after))]}


def test_starts_step_through_the_window() -> None:
    """A start is offered at every step for which the whole meeting ends with the window at the latest."""
    assert starts(alone(("09:00", "11:00")), meeting(60, 20)) == ["09:00", "09:20", "09:40", "10:00"]


def test_busy_time_touches_without_blocking() -> None:
    """A meeting may end when another begins and begin when it ends, and may not share a minute with it."""
    assert starts(alone(("09:00", "12:00")), meeting(30), taken("10:00", "11:00")) == [
        "09:00", "09:30", "11:00", "11:30",
    ]  # fmt: skip


def test_buffers_of_both_meetings_add_up() -> None:
    """Between two meetings lies the first one's time after plus the other's time before."""
    asked = meeting(30, buffer_before=minutes(15), buffer_after=minutes(5))
    free = starts(alone(("08:00", "12:00")), replace(asked, step=minutes(5)), taken("10:00", "10:30", 10, 20))
    assert "09:15" in free
    assert "09:20" not in free
    assert "11:00" not in free
    assert "11:05" in free


def test_buffers_may_leave_the_window() -> None:
    """The time before and after a meeting need not lie in opening hours."""
    asked = meeting(60, buffer_before=HOUR, buffer_after=HOUR)
    assert starts(alone(("09:00", "10:00")), asked) == ["09:00"]


def test_busy_time_outside_the_window_reaches_in_by_its_buffers() -> None:
    """A booking that ends at opening time with half an hour of reflection after it blocks that half hour."""
    assert starts(alone(("09:00", "11:00")), meeting(30), taken("08:00", "09:00", 0, 30)) == ["09:30", "10:00", "10:30"]


def test_a_start_exactly_at_the_end_of_notice_is_allowed() -> None:
    """Notice is elapsed time, and a start exactly then is offered."""
    asked = meeting(60, notice=timedelta(hours=24))
    window = alone(("09:00", "12:00"))
    assert starts(window, asked, now=at("2026-01-11T10:00Z")) == ["10:00", "11:00"]
    assert starts(window, asked, now=at("2026-01-11T10:00:01Z")) == ["11:00"]


def test_notice_counts_hours_that_pass_over_a_clock_change() -> None:
    """A day of notice over the night in which Berlin's clocks go back ends an hour earlier by the clock."""
    window = [(Host("ada", (span("2026-10-25T07:00Z", "2026-10-25T12:00Z"),)),)]
    now = datetime(2026, 10, 24, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    day = span("2026-10-25T00:00Z", "2026-10-26T00:00Z")
    assert starts(window, meeting(60, notice=timedelta(hours=24)), now=now, span=day) == [
        "08:00", "09:00", "10:00", "11:00",
    ]  # fmt: skip


def test_the_asked_range_drops_starts_and_moves_none_of_an_anchored_grid() -> None:
    """Starts counted from the window stay where they are when the question begins in the middle of it."""
    window, asked = alone(("09:00", "13:00")), meeting(60, 45)
    assert starts(window, asked) == ["09:00", "09:45", "10:30", "11:15", "12:00"]
    assert starts(window, asked, span=span("09:10", "12:30")) == ["09:45", "10:30", "11:15"]


def test_booked_time_moves_a_restarting_grid_only() -> None:
    """After a booking an anchored grid keeps its starts and a restarting one begins anew."""
    window, busy = alone(("09:00", "12:00")), taken("09:00", "09:15")
    assert starts(window, meeting(45), busy) == ["09:45", "10:30", "11:15"]
    assert starts(window, meeting(45, grid=Grid(RESTART)), busy) == ["09:15", "10:00", "10:45"]


def test_a_restarting_grid_begins_past_the_hour_of_its_zone() -> None:
    """Starts aligned to the half hour are aligned where the clock is half an hour off UTC."""
    window = alone(("09:10", "12:00"))
    assert starts(window, meeting(60, grid=Grid(RESTART, HOUR, KOLKATA))) == ["09:30", "10:30"]
    assert starts(window, meeting(60, grid=Grid(RESTART, HOUR, UTC))) == ["10:00", "11:00"]
    assert starts(window, meeting(60, grid=Grid(RESTART, minutes(15), UTC))) == ["09:15", "10:15"]


def test_a_restarting_grid_begins_when_notice_ends_rounded_up() -> None:
    """A part of a minute of notice moves the first start to the next mark, not to an odd second."""
    asked = meeting(60, grid=Grid(RESTART, minutes(15), UTC))
    assert starts(alone(("09:00", "12:00")), asked, now=at("2026-01-12T09:30:00.000001Z")) == ["09:45", "10:45"]


def test_alignment_survives_a_half_hour_clock_change() -> None:
    """Rounding up onto Lord Howe's half-hour change goes on to the next full hour of the new clock."""
    window = [(Host("ada", (span("2026-10-03T15:10Z", "2026-10-03T18:00Z"),)),)]
    asked = meeting(60, grid=Grid(RESTART, HOUR, ZoneInfo("Australia/Lord_Howe")))
    night = span("2026-10-03T00:00Z", "2026-10-04T00:00Z")
    assert starts(window, asked, span=night) == ["16:00", "17:00"]


def test_an_offset_moves_every_start() -> None:
    """Starts five past the grid begin five minutes into the window and still end within it."""
    assert starts(alone(("09:00", "10:30")), meeting(25, 30, offset=minutes(5))) == ["09:05", "09:35", "10:05"]


def test_a_cap_closes_the_day_of_the_caps_zone() -> None:
    """An interview at 20:00 UTC counts for the next day in Kolkata, so one a day closes that day there."""
    window = [(Host("ada", (span("2026-01-12T12:00Z", "2026-01-13T23:00Z"),)),)]
    asked = meeting(60, 180, caps=Caps(KOLKATA, {Period.DAY: 1}))
    both_days = span("2026-01-12T00:00Z", "2026-01-14T00:00Z")
    free = openings(window, asked, span=both_days, booked=[span("2026-01-12T20:00Z", "2026-01-12T21:00Z")])
    assert [f"{one.start:%d %H:%M}" for one in free] == ["12 12:00", "12 15:00", "12 18:00", "13 21:00"]


def test_caps_count_by_day_week_month_and_year() -> None:
    """A cap closes its whole period, a week from Monday to Sunday, and leaves the next one open."""
    window = [(Host("ada", (span("2026-01-01T00:00Z", "2027-02-01T00:00Z"),)),)]
    booked = [span("2026-01-15T10:00Z", "2026-01-15T11:00Z")]
    first_free = {}
    for period in Period:
        asked = meeting(60, 1440, caps=Caps(UTC, {period: 1}))
        free = openings(window, asked, span=span("2026-01-15T00:00Z", "2027-02-01T00:00Z"), booked=booked)
        first_free[period.value] = free[0].start.date().isoformat()
    assert first_free == {"day": "2026-01-16", "week": "2026-01-19", "month": "2026-02-01", "year": "2027-01-01"}


def test_a_cap_of_minutes_counts_the_new_meeting() -> None:
    """Sixty minutes do not fit where sixty of a hundred are booked, forty do."""
    caps = Caps(UTC, minutes={Period.DAY: 100})
    booked = [span("07:00", "08:00")]
    assert starts(alone(("09:00", "10:00")), meeting(60, caps=caps), booked=booked) == []
    assert starts(alone(("09:00", "10:00")), meeting(40, caps=caps), booked=booked) == ["09:00"]


@pytest.mark.parametrize(
    ("now", "horizon", "last"),
    [
        ("2026-01-12T10:00Z", Horizon(2, UTC), "2026-01-14"),
        ("2026-01-12T20:00Z", Horizon(2, KOLKATA), "2026-01-15"),
        ("2026-01-16T10:00Z", Horizon(2, UTC, working_days=True), "2026-01-20"),
        ("2026-01-17T10:00Z", Horizon(1, UTC, working_days=True), "2026-01-19"),
        ("2026-01-12T10:00Z", Horizon(0, UTC, working_days=True), "2026-01-12"),
    ],
)
def test_the_horizon_counts_days_of_its_zone(now: str, horizon: Horizon, last: str) -> None:
    """The last day that can be booked is so many days, or working days, after the zone's today."""
    assert horizon.last_day(at(now)).isoformat() == last


def test_nothing_starts_beyond_the_horizon() -> None:
    """The horizon's last day is open to its end in its zone and nothing after it is."""
    window = [(Host("ada", (span("2026-01-12T16:00Z", "2026-01-13T00:00Z"),)),)]
    asked = meeting(60, horizon=Horizon(0, KOLKATA))
    assert starts(window, asked, now=at("2026-01-12T08:00Z")) == ["16:00", "17:00", "18:00"]


def test_all_hosts_must_be_free() -> None:
    """With everybody needed, starts lie in the hours that all have and nobody is taken."""
    hosts = [host("mod", ("09:00", "12:00")), host("note", ("10:00", "13:00"))]
    busy = {"note": [Busy(span("11:00", "11:30"))]}
    assert openings(teams_of(HostMode.ALL, hosts), meeting(30), busy) == [
        Opening(at("10:00"), (("mod", "note"),)),
        Opening(at("10:30"), (("mod", "note"),)),
        Opening(at("11:30"), (("mod", "note"),)),
    ]


def test_one_host_holds_the_whole_meeting() -> None:
    """Two hosts whose hours only meet do not share one meeting between them."""
    hosts = [host("ada", ("09:00", "09:30")), host("bob", ("09:30", "10:00"))]
    assert openings(teams_of(HostMode.ANY, hosts), meeting(60)) == []
    assert openings(teams_of(HostMode.ANY, hosts), meeting(30)) == [
        Opening(at("09:00"), (("ada",),)),
        Opening(at("09:30"), (("bob",),)),
    ]


@pytest.mark.parametrize("policy", list(GridPolicy))
def test_a_start_names_every_host_who_could_take_it(policy: GridPolicy) -> None:
    """One host's booking neither removes a start that another can take nor moves the grid."""
    hosts = [host("ada", ("09:00", "11:00")), host("bob", ("09:00", "11:00"))]
    busy = {"ada": [Busy(span("09:00", "09:15"))], "bob": [Busy(span("10:30", "10:45"))]}
    assert openings(teams_of(HostMode.ANY, hosts), meeting(30, grid=Grid(policy)), busy) == [
        Opening(at("09:00"), (("bob",),)),
        Opening(at("09:30"), (("ada",), ("bob",))),
        Opening(at("10:00"), (("ada",), ("bob",))),
        Opening(at("10:30"), (("ada",),)),
    ]


def test_a_host_who_takes_over_late_begins_a_new_grid() -> None:
    """Hours of one host that the other's starts do not reach are offered from that host's own first start."""
    hosts = [host("ada", ("09:00", "10:10")), host("bob", ("10:10", "11:10"))]
    assert starts(teams_of(HostMode.ANY, hosts), meeting(60)) == ["09:00", "10:10"]


def test_fixed_hosts_and_one_of_the_pool() -> None:
    """Every fixed host and at least one of the others must be free; the start says which others."""
    hosts = [
        host("ann", ("11:00", "13:30"), fixed=True),
        host("abe", ("11:00", "13:30"), fixed=True),
        host("cy", ("11:00", "11:30")),
        host("di", ("11:00", "11:30"), ("12:30", "13:00")),
    ]
    assert openings(teams_of(HostMode.FIXED_PLUS_ANY, hosts), meeting(30)) == [
        Opening(at("11:00"), (("ann", "abe", "cy"), ("ann", "abe", "di"))),
        Opening(at("12:30"), (("ann", "abe", "di"),)),
    ]


@pytest.mark.parametrize("mode", list(HostMode))
def test_nobody_is_no_team(mode: HostMode) -> None:
    """Without hosts there is no team, rather than an empty one that is always free."""
    assert teams_of(mode, []) == []


def test_a_booking_is_judged_off_the_grid() -> None:
    """A start that fits can be booked whether or not the grid still shows it; one that overlaps by a second cannot."""
    window, busy = alone(("08:00", "10:00")), taken("08:00", "08:30")
    asked = meeting(30, grid=Grid(RESTART, HOUR, UTC))
    assert free_teams(window, asked, busy, LONG_AGO, at("08:30")) == (("ada",),)
    assert free_teams(window, asked, busy, LONG_AGO, at("09:17")) == (("ada",),)
    assert free_teams(window, asked, busy, LONG_AGO, at("2026-01-12T08:29:59Z")) == ()
    assert free_teams(window, asked, busy, LONG_AGO, at("09:31")) == ()


def test_a_booking_is_judged_by_notice_horizon_and_caps() -> None:
    """Notice, horizon and caps hold for a booking as they do for what is offered."""
    tomorrow = at("2026-01-13T08:00Z")
    window, start = [(Host("ada", (span("08:00", "10:00"), Span(tomorrow, tomorrow + HOUR))),)], at("09:00")
    assert free_teams(window, meeting(notice=HOUR), {}, at("08:00"), start) == (("ada",),)
    assert free_teams(window, meeting(notice=HOUR), {}, at("08:01"), start) == ()
    today = meeting(horizon=Horizon(0, UTC))
    assert free_teams(window, today, {}, at("08:00"), start) == (("ada",),)
    assert free_teams(window, today, {}, at("08:00"), tomorrow) == ()
    capped = meeting(caps=Caps(UTC, {Period.DAY: 1}))
    assert free_teams(window, capped, {}, LONG_AGO, start, booked=[Span(start, start + HOUR)]) == ()
    assert free_teams(window, capped, {}, LONG_AGO, start, booked=[Span(tomorrow, tomorrow + HOUR)]) == (("ada",),)


def test_a_window_to_the_end_of_the_day_ends() -> None:
    """Fourteen hourly starts fit between nine and eleven at night, and the search for more ends."""
    assert len(starts(alone(("09:00", "23:00")), meeting())) == 14


def test_no_start_when_notice_passes_the_range() -> None:
    """Notice beyond the asked range leaves nothing to offer."""
    assert starts(alone(("09:00", "10:00")), meeting(notice=timedelta(days=2)), now=at("08:00")) == []


@pytest.mark.parametrize("wrong", [{"length": timedelta(0)}, {"step": timedelta(0)}, {"notice": minutes(-1)}])
def test_lengths_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    """A meeting without length or step, which would never end the search, is refused by name."""
    with pytest.raises(ValueError, match=f"the {next(iter(wrong))} of a meeting"):
        replace(meeting(), **wrong)


def test_an_alignment_that_does_not_divide_the_hour_is_refused() -> None:
    """Marks past the hour must come round every hour."""
    with pytest.raises(ValueError, match="divides the hour"):
        Grid(RESTART, minutes(45))
