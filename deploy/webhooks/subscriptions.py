"""Subscriptions: who wants which events at which address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from .addresses import Network, allowed
from .filters import Condition, matches

State = Literal["active", "paused", "disabled"]
LONGEST_URL = 2000
PERSONAL = frozenset({"earshot.DemoRequested.v1"})
"""Types that carry names and addresses of people; they are handed out only where that was chosen in so many words."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What somebody subscribed to; `reason` says why a disabled one is."""

    id: UUID
    url: str
    description: str
    event_types: tuple[str, ...]
    conditions: tuple[Condition, ...]
    personal_data: bool
    state: State
    reason: str | None
    failing_since: datetime | None
    created_at: datetime
    created_by: str

    def wants(self, event_type: str, data: Mapping[str, Any]) -> bool:
        """Whether an event with these data, as JSON with its defaults, goes there."""
        return event_type in self.event_types and matches(self.conditions, data)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where webhooks may go at all: ports, plain HTTP or not, and networks beside the public ones."""

    ports: Collection[int]
    plain_http: bool
    networks: tuple[Network, ...]


def fault_of_url(url: str, reach: Reach) -> str | None:
    """What is wrong with the address, in a sentence; what its name stands for is checked at each connection."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        return "This is no web address; write https://host/path."
    if parts.scheme != "https" and not (parts.scheme == "http" and reach.plain_http):
        return "The address must begin with https://."
    if not host or len(url) > LONGEST_URL or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        return f"Write https://host/path in ASCII without spaces, at most {LONGEST_URL} characters."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "The address must hold no user, password or fragment; receivers check the signature."
    if port not in reach.ports:
        return f"Port {port} is not allowed here; allowed: {', '.join(map(str, sorted(reach.ports)))}."
    return _fault_of_host(host, reach)


def _fault_of_host(host: str, reach: Reach) -> str | None:
    try:
        forbidden = not allowed(host, reach.networks)
    except ValueError:
        return None  # a name; what it stands for may change from one connection to the next
    shown = f"[{host}]" if ":" in host and IPv6Address(host) else host
    return f"{shown} is no public address, so nothing is sent there." if forbidden else None


def fault_of_types(event_types: Collection[str], known: Collection[str], *, personal_data: bool) -> str | None:
    """What is wrong with the types subscribed to, in a sentence."""
    if unknown := sorted(set(event_types) - set(known)):
        return f"There is no event type {unknown[0]!r}; there are {', '.join(sorted(known))}."
    if (personal := sorted(PERSONAL & set(event_types))) and not personal_data:
        return f"{personal[0]} carries names and addresses of people; set personal_data to hand those out."
    return None
