"""What a service does with each event type: a table from event model to handler."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from shared.contract.catalogue import BY_MODEL, EventType
from shared.contract.events import EventData
from shared.contract.upcasting import NotRaisable, raised_from

from .database import Cause, Transaction
from .errors import Rejected
from .telemetry import continued

if TYPE_CHECKING:
    from .records import Record

E = TypeVar("E", bound=EventData)


class Received(Struct, Generic[E]):  # there is one for every record, and a dataclass costs four times as much
    """One event as it came in: who sent it, its validated data, and the record for whoever passes it on."""

    id: str
    source: str
    data: E
    correlation_id: str
    trace: Mapping[str, str]
    record: "Record"

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
    """A service's handlers; each event type has one.

    `keeps_unreadable`: what is no event becomes a dead letter here. One who reads what others own leaves that to them.
    """

    def __init__(self, *, keeps_unreadable: bool = True) -> None:
        self.keeps_unreadable = keeps_unreadable
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

    def on_batch(
        self, model: type[E], *, natural_key: bool = False, older: bool = True
    ) -> Callable[[BatchHandler[E]], BatchHandler[E]]:
        """Handle all events of this type in a batch at once, in their order: for types that come by the thousand.

        `older=False` leaves its older versions to handlers of their own.
        """

        def register(handler: BatchHandler[E]) -> BatchHandler[E]:
            self._add(model, handler, natural_key=natural_key, older=older)
            return handler

        return register

    def _add(self, model: type[E], handle: BatchHandler[E], *, natural_key: bool, older: bool = True) -> None:
        self._register(Registration(BY_MODEL[model], handle, natural_key))
        for event_type, up in raised_from(model) if older else ():
            self._register(Registration(event_type, _raising(handle, up), natural_key))

    def _register(self, registration: Registration) -> None:
        if registration.event_type.type in self._by_type:
            raise ValueError(f"{registration.event_type.type} has a handler already")
        self._by_type[registration.event_type.type] = registration

    def __getitem__(self, event_type: str) -> Registration:
        return self._by_type[event_type]

    @property
    def event_types(self) -> list[EventType]:
        """What is consumed: the types with a handler, and the older versions of them."""
        return [registration.event_type for registration in self._by_type.values()]


def _raising(handle: BatchHandler[E], up: Callable[[Any], E]) -> BatchHandler[Any]:
    """The handler of the newest version, for events of an older one."""

    async def raised(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        try:
            newest = [replace(event, data=up(event.data)) for event in events]
        except NotRaisable as wrong:
            raise Rejected(str(wrong)) from None
        await handle(tx, newest)

    return raised
