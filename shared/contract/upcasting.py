"""How a newer version of an event follows an older one: one pure function each way.

A consumer handles the newer model alone and is given older events as newer ones. A publisher publishes the newer model
and, for as long as `down` is declared, the older form beside it: the same occurrence under the same id and source, on
the older topic. docs/events.md tells how to make a second version step by step.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from .catalogue import BY_MODEL, EventType
from .envelope import explain
from .events import EventData

Old = TypeVar("Old", bound=EventData)
New = TypeVar("New", bound=EventData)


@dataclass(frozen=True, slots=True)
class Succession(Generic[Old, New]):
    """`up` reads an older event as a newer one and keeps its key; `down` is there while older readers are served."""

    old: type[Old]
    new: type[New]
    up: Callable[[Old], New]
    down: Callable[[New], Old] | None = None


SUCCESSIONS: tuple[Succession[Any, Any], ...] = ()
"""Every step from one version to the next; no event has a second version yet."""


class NotRaisable(Exception):  # noqa: N818 - named for what the event is
    """An older event has no counterpart in the newer version; the message says why."""


def raised_from(model: type[New]) -> Iterator[tuple[EventType, Callable[[Any], New]]]:
    """The older versions of the model, the youngest first, each with what makes the newest of its data.

    What is made raises NotRaisable for data without a counterpart.
    """
    for step in SUCCESSIONS:
        if step.new is model:
            yield BY_MODEL[step.old], _through(step)
            for older, up in raised_from(step.old):
                yield older, _through(step, up)


def forms(event: EventData) -> Iterator[EventData]:
    """The event, then what readers of its older versions are to get."""
    yield event
    for step in SUCCESSIONS:
        if step.new is type(event) and step.down is not None:
            yield from forms(step.down(event))


def complaints(event: EventType, data: EventData) -> Iterator[str]:
    """What a step up from this older event, or back down to it, gets wrong."""
    key = event.key_of(data)
    for step in SUCCESSIONS:
        if step.old is not event.model:
            continue
        try:
            newer = step.up(data)
            back = step.down(newer) if step.down else data
        except ValidationError as wrong:
            yield f"cannot be read as {step.new.__name__}: {explain(wrong)}"
            continue
        for form in (newer, back):
            if form.key_value() != key:
                yield f"has the key {key!r} and as {type(form).__name__} {form.key_value()!r}: its order would be lost"


def _through(step: Succession[Any, New], before: Callable[[Any], Any] | None = None) -> Callable[[Any], New]:
    """The step up, after the steps before it."""

    def raised(data: EventData) -> New:
        try:
            return step.up(before(data) if before else data)
        except ValidationError as wrong:
            raise NotRaisable(f"cannot be read as {step.new.__name__}: {explain(wrong)}") from None

    return raised
