"""A made-up history of everything that can happen, in one of many random orders, as it lies in Kafka."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from confluent_kafka import Producer

from shared.contract import envelope, parts
from shared.contract.catalogue import BY_MODEL
from shared.contract.events import (
    BookedInterview,
    EventData,
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
from shared.contract.types import Segment
from shared.runtime.settings import KafkaSettings

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
STATUSES: tuple[parts.FeatureStatus, ...] = ("new", "planned", "now", "shipped")
PLANS = ("free", "team", "enterprise", None)
REGIONS = ("EU", "US", None)


def story(seed: int) -> list[EventData]:
    """Some six hundred events; a tenth come late, and each version or time of a thing is there once."""
    random = Random(seed)
    told = [*_interviews(random), *_sessions(random), *_features(random), *_insights(random), *_votes(random)]
    told += [*_kpis(random), *_impacts(random)]
    told += [ParticipantErased(participant_id=f"p{number}", erased_at=_at(400)) for number in (3, 7)]
    late = {random.randrange(len(told)) for _ in range(len(told) // 10)}
    order = sorted(range(len(told)), key=lambda place: place + (random.randrange(200) if place in late else 0))
    return [told[place] for place in order]


def publish(settings: KafkaSettings, events: list[EventData], *, seed: int, named: str = "story") -> int:
    """Write the events as another system would, every tenth twice; returns the number of records."""
    random = Random(seed)
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "partitioner": "murmur2_random"})
    records = 0
    for number, event in enumerate(events):
        for _ in range(2 if random.random() < 0.1 else 1):
            event_type = BY_MODEL[type(event)]
            headers, value = envelope.encode(
                envelope.Envelope(
                    id=f"{named}-{number}",
                    source="https://elsewhere.example",
                    type=event_type.type,
                    time=_at(number).isoformat(),
                    data=event.model_dump_json().encode(),
                )
            )
            producer.produce(
                settings.topic_prefix + event_type.topic,
                value=value,
                key=event_type.key_of(event).encode(),
                headers=[*headers],
            )
            records += 1
    assert producer.flush(20) == 0
    return records


def _at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def _segment(random: Random) -> Segment:
    return Segment(plan=random.choice(PLANS), region=random.choice(REGIONS))


def _interviews(random: Random) -> Iterator[EventData]:
    for number in range(40):
        booked = BookedInterview(
            interview_id=f"i{number}",
            version=1,
            request_id=f"r{number}",
            study_id="s",
            participant_id=f"p{number % 15}",
            moderator_id="ana",
            starts_at=_at(number * 60),
            ends_at=_at(number * 60 + 30),
            timezone="UTC",
            questions=(f"What about {number}?",),
            segment=_segment(random),
        )
        yield InterviewScheduled(**dict(booked), scheduled_at=BEGIN)
        what_follows = random.choice(("nothing", "another time", "nothing more"))
        if what_follows == "another time":
            moved = dict(booked) | {"version": 2, "starts_at": _at(9000), "ends_at": _at(9030)}
            yield InterviewRescheduled(**moved, previous_starts_at=booked.starts_at, rescheduled_at=_at(5))
        elif what_follows == "nothing more":
            which = {name: getattr(booked, name) for name in ("interview_id", "request_id", "study_id")}
            yield InterviewCancelled(
                **which, version=2, participant_id=booked.participant_id, cancelled_at=_at(6), cancelled_by="team"
            )


def _sessions(random: Random) -> Iterator[EventData]:
    for number in range(40):
        for again in range(random.choice((1, 1, 2))):
            yield SessionCompleted(
                session_id=f"session{number}",
                interview_id=f"i{number}",
                request_id=f"r{number}",
                study_id="s",
                participant_id=f"p{number % 15}",
                completed_at=_at(number * 60 + again),
                listening=parts.Listening(moderator_talk_share=random.random()),
                segment=_segment(random),
            )


def _features(random: Random) -> Iterator[EventData]:
    for number in range(8):
        for version in range(1, random.randrange(2, 6)):
            status = random.choice(STATUSES)
            yield FeatureStatusChanged(
                feature_id=f"f{number}",
                version=version,
                title=f"Feature {number}, the {version}.",
                status=status,
                changed_at=_at(version * 10),
                released_at=_at(60 * 24 * 7 * 14 + number) if status == "shipped" else None,
                kpi_ids=("k0", "k1"),
                asked_by=tuple(f"p{random.randrange(15)}" for _ in range(4)),
            )


def _insights(random: Random) -> Iterator[EventData]:
    for number in range(60):
        feature = f"f{random.randrange(8)}"
        for version in range(1, random.choice((2, 2, 3, 4))):
            yield InsightTagged(
                insight_id=f"insight{number}",
                version=version,
                withdrawn=version > 1 and random.random() < 0.3,
                feature_id=feature,
                participant_id=f"p{number % 15}",
                quote=f"words {number} {version}",
                importance=random.randrange(4),
                tagged_at=_at(number * 7 + version),
                segment=_segment(random),
            )


def _votes(random: Random) -> Iterator[EventData]:
    for number in range(250):
        yield FeatureVoted(
            feature_id=f"f{random.randrange(10)}",
            voter_id=random.choice((f"v{random.randrange(40)}", f"p{random.randrange(15)}")),
            vote=random.choice(("up", "up", "withdrawn")),
            voted_at=_at(random.randrange(600)) + timedelta(microseconds=number),
            segment=_segment(random),
        )


def _kpis(random: Random) -> Iterator[EventData]:
    for kpi in ("k0", "k1", "k2"):
        for week in range(26):
            for measured in range(random.choice((1, 1, 2))):
                start = BEGIN + timedelta(weeks=week)
                yield KpiMeasured(
                    kpi_id=kpi,
                    name=random.choice((None, f"Kpi {kpi}")),
                    unit=random.choice((None, "points")),
                    period_start=start,
                    period_end=start + timedelta(weeks=1),
                    value=70 + random.random() * 3 + (6 if week >= 14 else 0),
                    measured_at=start + timedelta(weeks=1, minutes=measured),
                    baseline=50 if kpi == "k0" else None,
                    target=90 if kpi == "k0" else None,
                )


def _impacts(random: Random) -> Iterator[EventData]:
    for number in range(6):
        for version in range(1, random.randrange(2, 4)):
            yield KpiImpactAssessed(
                feature_id=f"f{number}",
                kpi_id="k1",
                version=version,
                released_at=BEGIN,
                effect=random.random(),
                effect_low=0,
                effect_high=1,
                verdict="cannot_tell",
                periods_before=10,
                periods_after=3,
                assessed_at=_at(version),
            )
