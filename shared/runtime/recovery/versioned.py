"""The versions a service hands out, so that none is handed out twice after an old backup was put back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.contract.events import EventData

if TYPE_CHECKING:
    from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Versioned:
    """A kind of thing whose state the service publishes under rising versions; the SQL is its store's.

    `known` gives the fields of `fields`, in their order as text, and the version; `lift` raises those below $1 to it.
    New things begin above `version_floor`.
    """

    events: frozenset[type[EventData]]
    fields: tuple[str, ...]
    known: str
    lift: str

    def of(self, event: EventData) -> tuple[str, ...]:
        """Which thing the event is about."""
        return tuple(str(getattr(event, name)) for name in self.fields)

    async def handed_out(self, connection: "Connection") -> dict[tuple[str, ...], int]:
        """The version of each thing."""
        return {tuple(row[:-1]): row[-1] for row in await connection.fetch(self.known)}


async def lift(connection: "Connection", things: Sequence[Versioned], floor: int) -> None:
    """Hand out no version up to the floor any more."""
    await connection.execute("UPDATE version_floor SET floor = greatest(floor, $1)", floor)
    for thing in things:
        await connection.execute(thing.lift, floor)


Heard = Mapping[tuple[str, ...], int]
"""The highest version others may have heard, by thing."""
