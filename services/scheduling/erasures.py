"""What became of a request to be forgotten: who has answered, who has not, and what the log still holds until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """One service's answer: how many records of which table were removed, and what was kept, with the reason."""

    service: str
    completed_at: datetime
    removed: Mapping[str, int]
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to be forgotten with all answers, oldest first; `requested_by` is None for another system."""

    participant_id: str
    erased_at: datetime
    requested_at: datetime
    requested_by: str | None
    asked_at: datetime
    times_asked: int
    answers: Sequence[Answer] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one service stands: `answered_at` is None while it is waited for; `removed` sums over all its answers."""

    service: str
    answered_at: datetime | None
    waiting_since: datetime | None
    removed: Mapping[str, int]
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expiry:
    """A topic with data about people: which fields, and after how long they are gone for certain; None: they stay."""

    topic: str
    holds: Sequence[str]
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Remnant:
    """What a topic of the log holds of the person: `gone_by` is None for what stays, and until all have answered."""

    topic: str
    holds: Sequence[str]
    stays: bool
    gone_by: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """The proof of one erasure; it names nobody."""

    erasure: Erasure
    is_overdue: bool
    completed_at: datetime | None
    standings: Sequence[Standing]
    remnants: Sequence[Remnant]


def report(
    erasure: Erasure, expected: Sequence[str], expiries: Sequence[Expiry], now: datetime, patience: timedelta
) -> Report:
    """The report of an erasure that the `expected` services must answer within `patience`."""
    standings = [_standing(erasure, service) for service in _all_services(erasure, expected)]
    missing = [standing for standing in standings if standing.answered_at is None]
    completed_at = None if missing else max(one.completed_at for one in erasure.answers)
    return Report(
        erasure=erasure,
        is_overdue=bool(missing) and now - erasure.requested_at > patience,
        completed_at=completed_at,
        standings=standings,
        remnants=[_remnant(expiry, completed_at) for expiry in expiries],
    )


def _all_services(erasure: Erasure, expected: Sequence[str]) -> list[str]:
    others = {answer.service for answer in erasure.answers} - set(expected)
    return [*expected, *sorted(others)]


def _standing(erasure: Erasure, service: str) -> Standing:
    answers = [answer for answer in erasure.answers if answer.service == service]
    if not answers:
        return Standing(service, None, erasure.requested_at, {}, {})
    removed: Counter[str] = Counter()
    for answer in answers:
        removed.update(answer.removed)
    return Standing(service, answers[0].completed_at, None, dict(removed), answers[-1].kept)


def _remnant(expiry: Expiry, completed_at: datetime | None) -> Remnant:
    # Until a service has answered it may still publish something about the person.
    gone_by = completed_at + expiry.after if completed_at and expiry.after else None
    return Remnant(expiry.topic, expiry.holds, stays=expiry.after is None, gone_by=gone_by)
