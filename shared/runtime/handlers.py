"""What a service does with each event type: a table from event model to handler."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.contract.events import BY_MODEL, EventData, EventType

from .database import Cause, Transaction
from .telemetry import continued

E = TypeVar("E", bound=EventData)


@dataclass(frozen=True, slots=True)
class Received(Generic[E]):
    """One event as it came in: who sent it, and its validated data."""

    id: str
    source: str
    data: E
    correlation_id: str
    trace: dict[str, str]

    @property
    def cause(self) -> Cause:
        """For what is published because of this event."""
        return Cause(self.id, self.correlation_id, self.trace.get("traceparent"))


EventHandler = Callable[[Transaction, Received[E]], Awaitable[None]]
BatchHandler = Callable[[Transaction, Sequence[Received[E]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Registration:
    """How one event type is handled.

    `natural_key` says that the handler's own unique key makes a repeated event harmless, so the inbox is not asked.
    """

    event_type: EventType
    handle: Callable[[Transaction, Sequence[Received[Any]]], Awaitable[None]]
    natural_key: bool


class Handlers:
    """A service's handlers; each event type has one."""

    def __init__(self) -> None:
        self._by_type: dict[str, Registration] = {}

    def on(self, model: type[E]) -> Callable[[EventHandler[E]], EventHandler[E]]:
        """Handle the events of this type one after the other, each at most once."""

        def register(handler: EventHandler[E]) -> EventHandler[E]:
            async def each(tx: Transaction, events: Sequence[Received[E]]) -> None:
                for event in events:
                    with continued(f"handle {model.__name__}", event.trace):
                        await handler(tx.because_of(event.cause), event)

            self._add(model, each, natural_key=False)
            return handler

        return register

    def on_batch(self, model: type[E], *, natural_key: bool = False) -> Callable[[BatchHandler[E]], BatchHandler[E]]:
        """Handle all events of this type in a batch at once, in their order: for types that come by the thousand."""

        def register(handler: BatchHandler[E]) -> BatchHandler[E]:
            self._add(model, handler, natural_key=natural_key)
            return handler

        return register

    def _add(self, model: type[E], handle: BatchHandler[E], *, natural_key: bool) -> None:
        event_type = BY_MODEL[model]
        if event_type.type in self._by_type:
            raise ValueError(f"{event_type.type} has a handler already")
        self._by_type[event_type.type] = Registration(event_type, handle, natural_key)

    def __getitem__(self, event_type: str) -> Registration:
        return self._by_type[event_type]

    @property
    def event_types(self) -> list[EventType]:
        return [registration.event_type for registration in self._by_type.values()]
