"""Which start times can be offered, and who could hold the interview at each of them.

Everything is elapsed time in UTC; zones matter only to the grid, the caps and the horizon, which say theirs.
A *team* is the hosts that one interview needs at once. A start is offered when at least one team is free for all of it,
so two hosts never share one interview by halves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cache, reduce
from typing import TypeAlias

from services.scheduling.availability import Span, intersect, merge, subtract
from services.scheduling.zones import in_utc

_NONE = timedelta(0)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_FRIDAY = 5


class GridPolicy(StrEnum):
    """Where start times are counted from."""

    WINDOW_ANCHORED = "window_anchored"
    """The window's start: what is booked drops starts and moves none."""

    FREE_RANGE_RESTART = "free_range_restart"
    """Each free range's start, be it the window's, the end of a booking or the end of the notice."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How start times are laid out; under FREE_RANGE_RESTART the first is rounded up to `align` past the hour."""

    policy: GridPolicy = GridPolicy.WINDOW_ANCHORED
    align: timedelta = _NONE
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        if self.align < _NONE or (self.align and _HOUR % self.align):
            raise ValueError(f"start times cannot be aligned to {self.align}; give 0 or a length that divides the hour")


class Period(StrEnum):
    """What a cap counts over; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Caps:
    """Most interviews, and most minutes of them, in each day, week, month or year of the zone.

    An interview counts, whole, in the period it starts in.
    """

    zone: tzinfo
    interviews: Mapping[Period, int] = field(default_factory=dict)
    minutes: Mapping[Period, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far ahead can be booked: through the zone's today and this many days, or working days (Mon-Fri), after it."""

    days: int
    zone: tzinfo
    working_days: bool = False

    def last_day(self, now: datetime) -> date:
        day, left = now.astimezone(self.zone).date(), self.days
        while left > 0:
            day += _DAY
            left -= not self.working_days or day.isoweekday() <= _FRIDAY
        return day


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What is to be booked: its length, the room around it, and when it may start.

    Buffers keep busy time away and may leave the window. `notice` is elapsed time; a start exactly then is allowed.
    Raises ValueError for a length or step not above zero and for anything else below zero.
    """

    length: timedelta
    step: timedelta
    buffer_before: timedelta = _NONE
    buffer_after: timedelta = _NONE
    notice: timedelta = _NONE
    offset: timedelta = _NONE
    grid: Grid = Grid()
    caps: Caps | None = None
    horizon: Horizon | None = None

    def __post_init__(self) -> None:
        for name in ("length", "step"):
            if getattr(self, name) <= _NONE:
                raise ValueError(f"the {name} of a meeting must be above zero, not {getattr(self, name)}")
        for name in ("buffer_before", "buffer_after", "notice", "offset"):
            if getattr(self, name) < _NONE:
                raise ValueError(f"the {name} of a meeting must not be below zero, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Host:
    """Somebody who can hold or join an interview, open in these windows (ordered and apart, as `merge` gives)."""

    id: str
    windows: tuple[Span, ...]
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Busy:
    """Time a host is taken, with the buffers of what takes it: they add up with those of a new meeting."""

    span: Span
    buffer_before: timedelta = _NONE
    buffer_after: timedelta = _NONE


class HostMode(StrEnum):
    """Who is needed of the hosts."""

    ALL = "all"
    ANY = "any"
    FIXED_PLUS_ANY = "fixed_plus_any"
    """Every fixed host and one of the others."""


Team: TypeAlias = tuple[Host, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """A start that can be offered and the teams, by host id, that could take it."""

    start: datetime
    teams: tuple[tuple[str, ...], ...]


def teams_of(mode: HostMode, hosts: Sequence[Host]) -> list[Team]:
    """Every team the mode allows, in the order of the hosts."""
    if mode is HostMode.ALL:
        return [tuple(hosts)] if hosts else []
    if mode is HostMode.ANY:
        return [(host,) for host in hosts]
    fixed = tuple(host for host in hosts if host.fixed)
    return [(*fixed, host) for host in hosts if not host.fixed]


def free_starts(
    teams: Sequence[Team],
    meeting: Meeting,
    busy: Mapping[str, Sequence[Busy]],
    now: datetime,
    span: Span,
    *,
    booked: Sequence[Span] = (),
) -> list[Opening]:
    """The starts to offer, in order, of meetings that lie wholly within the span.

    `busy` is by host id; `booked` are the interviews that the meeting's caps count.
    """
    earliest = max(span.start, in_utc(now) + meeting.notice)
    if earliest >= span.end:
        return []
    asked = [Span(earliest, span.end)]
    fits = [_starts_that_fit(intersect(_free(team, meeting, busy), asked), meeting.length) for team in teams]
    if meeting.grid.policy is GridPolicy.WINDOW_ANCHORED:
        ranges = [_starts_that_fit(_common_windows(team), meeting.length) for team in teams]
    else:
        ranges = fits
    allowed = _limits(meeting, now, booked)
    openings = (_opening(start, teams, fits) for start in _grid(ranges, meeting) if allowed(start))
    return [opening for opening in openings if opening.teams]


def free_teams(
    teams: Sequence[Team],
    meeting: Meeting,
    busy: Mapping[str, Sequence[Busy]],
    now: datetime,
    start: datetime,
    *,
    booked: Sequence[Span] = (),
) -> tuple[tuple[str, ...], ...]:
    """The teams that could take the meeting at exactly that start, on the grid or not; none when it cannot be booked.

    Ask this when a booking is made: the grid may have moved since the start was offered.
    """
    start = in_utc(start)
    if start < in_utc(now) + meeting.notice or not _limits(meeting, now, booked)(start):
        return ()
    fits = [_starts_that_fit(_free(team, meeting, busy), meeting.length) for team in teams]
    return _opening(start, teams, fits).teams


def _common_windows(team: Team) -> list[Span]:
    return reduce(intersect, (list(host.windows) for host in team))


def _free(team: Team, meeting: Meeting, busy: Mapping[str, Sequence[Busy]]) -> list[Span]:
    # The buffers between two meetings add up: what one needs after it comes before what the other needs before it.
    blocks = (
        Span(
            taken.span.start - taken.buffer_before - meeting.buffer_after,
            taken.span.end + taken.buffer_after + meeting.buffer_before,
        )
        for host in team
        for taken in busy.get(host.id, ())
    )
    return subtract(_common_windows(team), blocks)


def _starts_that_fit(spans: Iterable[Span], length: timedelta) -> list[Span]:
    """First and last start, both allowed, of a meeting in each span that is long enough."""
    return [Span(span.start, span.end - length) for span in spans if span.end - span.start >= length]


def _grid(ranges: Iterable[Sequence[Span]], meeting: Meeting) -> Iterator[datetime]:
    for starts in merge(start for team in ranges for start in team):
        start = starts.start
        if meeting.grid.policy is GridPolicy.FREE_RANGE_RESTART:
            start = _aligned(start, meeting.grid)
        start += meeting.offset
        while start <= starts.end:
            yield start
            start += meeting.step


def _aligned(start: datetime, grid: Grid) -> datetime:
    # A loop, because the step may cross a change of the clocks and land between two marks.
    while grid.align and (past := _past_the_hour(start.astimezone(grid.zone)) % grid.align):
        start += grid.align - past
    return start


def _past_the_hour(local: datetime) -> timedelta:
    return timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _opening(start: datetime, teams: Sequence[Team], fits: Sequence[Sequence[Span]]) -> Opening:
    able = (team for team, starts in zip(teams, fits, strict=True) if any(s.start <= start <= s.end for s in starts))
    return Opening(start, tuple(tuple(host.id for host in team) for team in able))


def _limits(meeting: Meeting, now: datetime, booked: Sequence[Span]) -> Callable[[datetime], bool]:
    within_caps = _caps_check(meeting.caps, meeting.length, booked) if meeting.caps else None
    horizon = meeting.horizon
    last_day = horizon.last_day(now) if horizon else None

    def allowed(start: datetime) -> bool:
        if horizon and last_day and start.astimezone(horizon.zone).date() > last_day:
            return False
        return within_caps is None or within_caps(start)

    return allowed


def _caps_check(caps: Caps, length: timedelta, booked: Sequence[Span]) -> Callable[[datetime], bool]:
    taken = [(interview.start.astimezone(caps.zone).date(), interview.end - interview.start) for interview in booked]

    def lengths(period: Period, day: date) -> list[timedelta]:
        return [spent for other, spent in taken if _period_of(other, period) == _period_of(day, period)]

    @cache
    def open_on(day: date) -> bool:
        return all(len(lengths(period, day)) < most for period, most in caps.interviews.items()) and all(
            sum(lengths(period, day), length) <= timedelta(minutes=most) for period, most in caps.minutes.items()
        )

    return lambda start: open_on(start.astimezone(caps.zone).date())


def _period_of(day: date, period: Period) -> tuple[int, ...]:
    if period is Period.WEEK:
        return day.isocalendar()[:2]
    return (day.year, day.month, day.day)[: {Period.YEAR: 1, Period.MONTH: 2, Period.DAY: 3}[period]]
