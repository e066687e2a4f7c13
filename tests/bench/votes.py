"""Votes as other systems publish them: repeated, taken back, disordered, by people who change their plan."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

TOPIC = "earshot.feature-voted.v1"
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLANS = ("free", "team", "pro", "enterprise")
REGIONS = ("eu", "us", "apac")
LOYALTIES = ("new", "loyal", "at risk")


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who votes for what. Ideas are not equally popular: a quarter of the votes goes to a sixteenth of the ideas."""

    ideas: int = 2000
    voters: int = 100_000
    repeated: float = 0.05
    withdrawn: float = 0.05
    late: float = 0.05
    moved: float = 0.01

    def votes(self, count: int, *, seed: int = 1, first: int = 0) -> Iterator[tuple[str, str, bytes]]:
        """Event id, feature id (the key) and data of `count` records."""
        chance = random.Random(seed)
        last: tuple[str, str, bytes] | None = None
        for number in range(first, first + count):
            if last is not None and chance.random() < self.repeated:
                yield last
                continue
            voter, idea = chance.randrange(self.voters), int(self.ideas * chance.random() ** 2)
            late = timedelta(hours=chance.random()) if chance.random() < self.late else timedelta()
            vote = {
                "feature_id": f"idea-{idea}",
                "voter_id": f"customer-{voter}",
                "voter_kind": "customer",
                "vote": "withdrawn" if chance.random() < self.withdrawn else "up",
                "voted_at": (BEGIN + timedelta(milliseconds=number * 10) - late).isoformat().replace("+00:00", "Z"),
                "channel": "in-app",
                "segment": self._segment(voter, moved=chance.random() < self.moved),
            }
            last = (f"vote-{seed}-{number}", f"idea-{idea}", json.dumps(vote, separators=(",", ":")).encode())
            yield last

    def _segment(self, voter: int, *, moved: bool) -> dict[str, str]:
        plan = (voter // 7 + moved) % len(PLANS)
        return {"plan": PLANS[plan], "region": REGIONS[voter % 3], "loyalty": LOYALTIES[voter // 3 % 3]}


def headers(event_id: str, time: datetime = BEGIN) -> list[tuple[str, str]]:
    return [
        ("ce_specversion", "1.0"),
        ("ce_id", event_id),
        ("ce_source", "https://app.example"),
        ("ce_type", "earshot.FeatureVoted.v1"),
        ("ce_time", time.isoformat()),
        ("content-type", "application/json"),
    ]


def publish(kafka: str, prefix: str, votes: Iterator[tuple[str, str, bytes]]) -> int:
    """Publish them all as the contract asks; gives how many."""
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": 2_000_000,
        }
    )
    count = 0
    for count, (event_id, key, value) in enumerate(votes, 1):
        producer.produce(f"{prefix}{TOPIC}", key=key, value=value, headers=[*headers(event_id)])
        if count % 1000 == 0:
            producer.poll(0)
    if left := producer.flush(60):
        raise RuntimeError(f"Kafka did not take {left} of {count} records")
    return count
