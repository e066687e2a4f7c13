"""Which free time an interview gets, and who of the study's hosts holds it.

An interview needs a moderator. A note-taker joins where the study has one who is free; else the moderator takes notes.
Hosts come in the order in which they should be asked, the least booked first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from services.scheduling import slots
from services.scheduling.availability import Span, intersect, open_windows
from services.scheduling.hosts import Member
from services.scheduling.slots import Busy, free_starts, free_teams
from services.scheduling.studies import Study

BusyHosts: TypeAlias = Mapping[str, Sequence[Busy]]

FURTHEST = timedelta(days=730)
"""Nothing is booked later than this from now, not even by hand."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seat:
    """A start and the hosts who can take it."""

    start: datetime
    moderator_id: str
    note_taker_id: str | None

    @property
    def host_ids(self) -> tuple[str, ...]:
        return (self.moderator_id,) if self.note_taker_id is None else (self.moderator_id, self.note_taker_id)


def bookable_span(study: Study, now: datetime) -> Span:
    """From now to safely behind the study's horizon, which itself ends with a day."""
    return Span(now, now + timedelta(days=study.horizon_days) + _DAY)


def starts(
    study: Study, members: Sequence[Member], busy: BusyHosts, now: datetime, span: Span, *, by_hand: bool = False
) -> list[datetime]:
    """The starts within the span at which a moderator is free, in order."""
    teams = [(host,) for host in _hosts(members, "moderator", span)]
    meeting = study.meeting(by_hand=by_hand)
    return [opening.start for opening in free_starts(teams, meeting, busy, now, span)]


def seat_at(
    start: datetime,
    study: Study,
    members: Sequence[Member],
    busy: BusyHosts,
    now: datetime,
    *,
    by_hand: bool = False,
    keep: tuple[str, ...] = (),
) -> Seat | None:
    """Who takes an interview at exactly that start, None when nobody can.

    Those to `keep` (moderator, then note-taker) stay where they are free: a customer should meet whom they expect.
    """
    if not now <= start <= now + FURTHEST:
        return None
    span = Span(start - _DAY, start + study.length + _DAY)
    moderators, note_takers = _hosts(members, "moderator", span), _hosts(members, "note_taker", span)
    teams = [(moderator, note_taker) for moderator in moderators for note_taker in note_takers]
    alone = [(moderator,) for moderator in moderators]
    meeting = study.meeting(by_hand=by_hand)
    able = free_teams([*teams, *alone], meeting, busy, now, start)
    if not able:
        return None
    best = min(able, key=lambda team: (team[0] not in keep, -len(team), team[-1] not in keep))
    return Seat(start, best[0], best[1] if len(best) > 1 else None)


def choose(
    study: Study, members: Sequence[Member], busy: BusyHosts, now: datetime, wishes: Sequence[Span]
) -> Seat | None:
    """The first wish that can be met, else the earliest free time, None when there is none.

    A wish is met at its start, or else at the first offered start of an interview that lies wholly within it.
    """
    span = bookable_span(study, now)
    for wish in wishes:
        at_once = seat_at(wish.start, study, members, busy, now)
        if at_once is not None:
            return at_once
        for part in intersect([wish], [span]):
            within = starts(study, members, busy, now, part)
            if within:
                return seat_at(within[0], study, members, busy, now)
    free = starts(study, members, busy, now, span)
    return seat_at(free[0], study, members, busy, now) if free else None


def nearest(free: Sequence[datetime], to: datetime, count: int = 3) -> list[datetime]:
    """The free starts closest to a time, in the order of time."""
    return sorted(sorted(free, key=lambda start: abs(start - to))[:count])


def _hosts(members: Sequence[Member], role: str, span: Span) -> list[slots.Host]:
    return [
        slots.Host(member.host.host_id, tuple(open_windows(member.host.schedule(), span)))
        for member in members
        if member.role == role and member.host.active
    ]
