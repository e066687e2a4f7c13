"""The people who hold interviews: their weekly hours and their part in a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.scheduling.availability import LocalWindow, Schedule, WeeklyRule
from services.scheduling.zones import named_zone

Role: TypeAlias = Literal["moderator", "note_taker"]
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The same hours, "HH:MM" of the host's wall clock, on some days of every week."""

    days: tuple[Day, ...]
    start: str
    end: str

    def rule(self) -> WeeklyRule:
        """The rule for availability; ValueError for hours that do not end after they start."""
        iso_days = frozenset(DAYS.index(day) + 1 for day in self.days)
        return WeeklyRule(iso_days, (LocalWindow.parse(self.start, self.end),))


@dataclass(frozen=True, slots=True)
class Host:
    """Somebody of the team who can be booked while active."""

    host_id: str
    name: str
    email: str
    timezone: str
    weekly: tuple[WeeklyHours, ...]
    active: bool = True

    def schedule(self) -> Schedule:
        return Schedule(named_zone(self.timezone), tuple(hours.rule() for hours in self.weekly))


@dataclass(frozen=True, slots=True)
class Member:
    """A host in a study."""

    host: Host
    role: Role
