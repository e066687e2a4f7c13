"""What the log holds of people and how long, as the contract says."""

from collections.abc import Sequence
from datetime import datetime

from services.scheduling.erasures import Expiry
from shared.contract.catalogue import BY_MODEL, EVENTS, EventType
from shared.contract.events import DemoRequested, ParticipantErased
from shared.contract.topics import gone_after

ANSWERING: Sequence[str] = BY_MODEL[ParticipantErased].consumers
"""The services that must answer an erasure."""


def expiries() -> list[Expiry]:
    """Every topic whose events say something about a person, in the order of the contract."""
    return [
        Expiry(event.topic, (*event.model.about, *event.model.words), gone_after(event))
        for event in EVENTS.values()
        if _is_personal(event)
    ]


def address_until(now: datetime) -> datetime | None:
    """When no event with contact details from before now can come any more."""
    after = gone_after(BY_MODEL[DemoRequested])
    return now + after if after else None


def _is_personal(event: EventType) -> bool:
    return bool(event.model.about or event.model.words)
