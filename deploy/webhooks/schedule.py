"""What an answer means, and when to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Literal

Verdict = Literal["delivered", "gone", "failed"]

DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Between the first ten attempts, as Standard Webhooks proposes: a little more than three days in all."""

JITTER = 0.2
"""By how much of itself a delay may be longer, so that what failed together does not come back together."""

LONGEST_WAIT = timedelta(hours=24)
"""What a receiver may ask for with Retry-After at most."""

MAY_ASK_FOR_TIME = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def verdict(status: int) -> Verdict:
    """2xx took it; 410 wants no more of them; everything else, redirects too, failed."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "delivered"
    return "gone" if status == HTTPStatus.GONE else "failed"


def next_attempt(failed: int, now: datetime, chance: float, wait: timedelta | None = None) -> datetime | None:
    """When to try again after so many failed attempts, None for no more.

    `chance` in [0, 1) spreads the attempts; `wait` is what the receiver asked for.
    """
    if not 1 <= failed <= len(DELAYS):
        return None
    delay = DELAYS[failed - 1] * (1 + JITTER * chance)
    return now + max(delay, min(wait or timedelta(), LONGEST_WAIT))


def asked_to_wait(status: int, retry_after: str | None, now: datetime) -> timedelta | None:
    """How long the receiver wants to be left alone: seconds or an HTTP date (RFC 9110, 10.2.3) with 429 or 503."""
    if status not in MAY_ASK_FOR_TIME or retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(until - now, timedelta())
