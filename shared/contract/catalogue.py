"""Every event type of Earshot by its name: its topic, who publishes it, who consumes it, how long it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from .events import (
    DeadLetterClosed,
    DemoRequested,
    ErasureCompleted,
    EventData,
    EventRejected,
    FeaturePriorityChanged,
    FeatureStatusChanged,
    FeatureVoted,
    InsightTagged,
    InterviewCancelled,
    InterviewRescheduled,
    InterviewScheduled,
    KpiImpactAssessed,
    KpiMeasured,
    ParticipantErased,
    SessionCompleted,
)


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type's place in the contract; `retention` None keeps records for ever."""

    model: type[EventData]
    version: int
    topic: str
    publishers: tuple[str, ...]
    consumers: tuple[str, ...]
    retention: timedelta | None
    type: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", f"earshot.{_plain(self.model, self.version)}.v{self.version}")

    @property
    def key(self) -> tuple[str, ...]:
        return self.model.key

    def key_of(self, data: EventData) -> str:
        return data.key_value()


def _event(
    model: type[EventData], publishers: str, consumers: str, *, days: int | None = 365, version: int = 1
) -> EventType:
    name = _plain(model, version)
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
    return EventType(
        model=model,
        version=version,
        topic=f"earshot.{words}.v{version}",
        publishers=tuple(publishers.split()),
        consumers=tuple(consumers.split()),
        retention=None if days is None else timedelta(days=days),
    )


def _plain(model: type[EventData], version: int) -> str:
    """The event's name; from the second version on its model is called for instance FeatureVotedV2."""
    return model.__name__.removesuffix(f"V{version}")


EVERYBODY = "scheduling sessions insights roadmap kpi"
OF_THE_RUNTIME = (ErasureCompleted, EventRejected, DeadLetterClosed)
"""What whoever stands on the runtime publishes, beside its own."""

_DECLARED = (
    _event(DemoRequested, "website crm scheduling", "scheduling", days=7),  # contact details do not stay in a log
    _event(InterviewScheduled, "scheduling", "sessions"),
    _event(InterviewRescheduled, "scheduling", "sessions"),
    _event(InterviewCancelled, "scheduling", "sessions"),
    _event(SessionCompleted, "sessions recording-tools", "insights scheduling"),
    _event(InsightTagged, "insights research-tools", "roadmap kpi"),
    _event(FeatureVoted, "roadmap voting-channels", "roadmap"),
    _event(FeaturePriorityChanged, "roadmap", ""),
    _event(FeatureStatusChanged, "roadmap", "kpi insights scheduling"),
    _event(KpiMeasured, "analytics billing kpi", "kpi roadmap"),
    _event(KpiImpactAssessed, "kpi", "roadmap insights"),
    _event(ParticipantErased, "scheduling", EVERYBODY, days=None),  # outlives backups that could bring a person back
    _event(ErasureCompleted, EVERYBODY, "scheduling", days=None),
    _event(EventRejected, EVERYBODY, "", days=30),
    _event(DeadLetterClosed, EVERYBODY, "", days=30),
)

_BY_TYPE = {event.type: event for event in _DECLARED}
_BY_MODEL = {event.model: event for event in _DECLARED}

EVENTS: Mapping[str, EventType] = MappingProxyType(_BY_TYPE)
"""Every event type by its CloudEvents `type`, e.g. `earshot.DemoRequested.v1`."""

BY_MODEL: Mapping[type[EventData], EventType] = MappingProxyType(_BY_MODEL)
