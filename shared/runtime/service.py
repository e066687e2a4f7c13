"""What makes a service: its name, its handlers, its routes and its numbers for the home page."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter

from shared.contract.catalogue import EVENTS, EventType
from shared.ui import Pages, shared_pages

from .database import Connection, Database
from .handlers import Handlers
from .recovery.derived import Derived
from .recovery.versioned import Versioned
from .settings import Settings
from .telemetry import Metrics

Pulse = Callable[[Connection], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class Work:
    """What a job works with."""

    database: Database
    settings: Settings
    metrics: Metrics


Job = Callable[[Work], Awaitable[None]]
"""Something that goes on beside HTTP and the consumer until it is cancelled; a fault starts it again."""


async def _no_numbers(_connection: Connection) -> Mapping[str, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Service:
    """A service as its `app.py` wires it.

    `pages` renders its pages, errors among them; `public` lists what may be called without signing in, as
    "METHOD /path/{template}".
    `pulse` gives a few counts that say how much is going on, e.g. {"interviews booked": 12}.
    `derived` is what it builds from events alone, for a rebuild; None where there is nothing of the kind.
    `versioned` is what it publishes under rising versions.
    `settings` is what it is told by its environment, `jobs` is what goes on beside HTTP and the consumer.
    """

    name: str
    summary: str
    handlers: Handlers
    routers: tuple[APIRouter, ...]
    public: frozenset[str]
    pages: Pages = field(default_factory=shared_pages)
    pulse: Pulse = field(default=_no_numbers)
    derived: Derived | None = None
    versioned: tuple[Versioned, ...] = ()
    settings: type[Settings] = Settings
    jobs: tuple[Job, ...] = ()

    @property
    def publishes(self) -> list[EventType]:
        return [event for event in EVENTS.values() if self.name in event.publishers]

    @property
    def consumes(self) -> list[EventType]:
        return self.handlers.event_types
