"""How much a visitor may do at the board.

Blocked people and programs that fill in everything may do nothing, others so many changes a minute.

Counted in the memory of each process: a limit that several instances multiply still stops a flood, and no vote waits
for a counter in the database that all from one address would share.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import NamedTuple

from fastapi import HTTPException, Request
from starlette.datastructures import State

from services.roadmap.people.visitors import known_visitor
from shared.runtime import Problem
from shared.ui.words import _

HONEYPOT = "website"
MOST_KEYS = 50_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Bucket(NamedTuple):
    """What is left, as of a time of the clock in seconds."""

    tokens: float
    at: float


def taken(bucket: Bucket | None, now: float, per_minute: float) -> tuple[Bucket, float]:
    """Take one token; gives what is left, and for how many seconds there is none (0: it was taken)."""
    # Whoever did nothing for a minute may do a minute's worth at once.
    tokens = min(per_minute, bucket.tokens + (now - bucket.at) * per_minute / 60) if bucket else per_minute
    if tokens >= 1:
        return Bucket(tokens - 1, now), 0.0
    return Bucket(tokens, now), (1 - tokens) * 60 / per_minute


class Limits:
    """A bucket for each address or person; those not seen for the longest are forgotten first."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, per_minute: float) -> float:
        """For how many seconds the key has to wait; 0 when it need not."""
        bucket, wait = taken(self._buckets.pop(key, None), self._clock(), per_minute)
        self._buckets[key] = bucket
        if len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)
        return wait


async def guard(request: Request) -> None:
    """Let through who may change something at the board; a dependency of its pages, after `recognise`.

    Raises:
        Problem: 403 for who is blocked.
        HTTPException: 429 for who does too much, and the board itself for a program that filled in everything.
    """
    visitor = known_visitor(request)
    if request.method in SAFE or (visitor is not None and visitor.kind == "team"):
        return
    if visitor is not None and visitor.trust == "blocked":
        raise Problem(403, _("Not possible"), _("The team has blocked you here. Write to them if that is a mistake."))
    # Whoever is known by a cookie alone can throw it away, so their address counts.
    key = (
        visitor.voter_id if visitor is not None and visitor.session is not None else neighbourhood(address_of(request))
    )
    limit(request, key)
    if request.headers.get("content-type", "").startswith(FORMS) and (await request.form()).get(HONEYPOT):
        root = request.scope.get("root_path", "")
        raise HTTPException(303, "Thank you.", headers={"Location": f"{root}/board"})


def limit(request: Request, key: str) -> None:
    """Raises HTTPException 429 for a person or an address that did too much in a minute."""
    wait = _limits(request.app.state).take(key, request.app.state.settings.board_writes_per_minute)
    if wait:
        seconds = ceil(wait)
        raise HTTPException(
            429,
            _("That was a lot in a short time. Try again in %(seconds)s seconds.", seconds=seconds),
            headers={"Retry-After": str(seconds)},
        )


def address_of(request: Request) -> str:
    """Where the request comes from, as the gateway says it."""
    told = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()
    return told or (request.client.host if request.client else "unknown")


def neighbourhood(address: str) -> str:
    """Whoever has one IPv6 address has 2⁶⁴ of them."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(known) >> 64 << 64)) if isinstance(known, IPv6Address) else address


def network_of(address: str) -> str:
    """The network an address is in, as large as one customer of a provider has: /24, or /48 of IPv6."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((known, 48 if isinstance(known, IPv6Address) else 24), strict=False))


def _limits(state: State) -> Limits:
    """One for each application, made when it is first asked for."""
    if not hasattr(state, "board_limits"):
        state.board_limits = Limits()
    limits: Limits = state.board_limits
    return limits
