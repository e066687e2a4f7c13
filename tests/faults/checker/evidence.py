"""Everything the checker judges by: the ledger, the log as it lies in Kafka, and the rows of the databases."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.faults.ledger import Entry, Ledger

LEDGER_HEADER = "ledger"
Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Logged:
    """A record of the log; `headers` is None where the client cannot read them."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.value or b"").hexdigest()

    @property
    def data(self) -> dict[str, Any]:
        """The event's data, in either mode."""
        whole: dict[str, Any] = json.loads(self.value or b"{}")
        return whole["data"] if "specversion" in whole else whole

    def header(self, name: str) -> str | None:
        content = dict(self.headers or ()).get(name)
        return None if content is None else content.decode("utf-8", "replace")

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Effect:
    """A row that a service wrote: which, and the mark that the event left in it."""

    service: str
    relation: str
    entity: str
    mark: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter."""

    service: str
    identifier: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str


@dataclass
class Evidence:
    """What is known; every check is a function of it alone."""

    ledger: Ledger
    log: Sequence[Logged]
    """Per partition in the order of offsets, topics without the run's prefix."""
    effects: Sequence[Effect] = ()
    letters: Sequence[Letter] = ()
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """By relation, e.g. `roadmap.priorities`."""

    @cached_property
    def entries(self) -> dict[Logged, Entry]:
        """Which line of the ledger each record is; records of the services themselves have none."""
        forged = {(e.topic, e.sha256): e for e in self.ledger.entries.values() if e.n not in self.ledger.places}
        found = {}
        for record in self.log:
            number = record.header(LEDGER_HEADER)
            entry = self.ledger.entries.get(int(number)) if number else forged.get((record.topic, record.sha256))
            if entry is not None:
                found[record] = entry
        return found

    @cached_property
    def by_topic(self) -> dict[str, list[Logged]]:
        found: defaultdict[str, list[Logged]] = defaultdict(list)
        for record in self.log:
            found[record.topic].append(record)
        return found

    def accepted(self, topic: str, service: str) -> Iterator[Logged]:
        """What the service is to handle, in the order of offsets, each event once."""
        seen = set()
        for record in self.by_topic.get(topic, []):
            entry = self.entries.get(record)
            if entry and service not in entry.rejected_by and entry.event_id not in seen:
                seen.add(entry.event_id)
                yield record

    def published(self, topic: str) -> Iterator[Logged]:
        """What services published on the topic, each event once; the relay may repeat itself."""
        seen = set()
        for record in self.by_topic.get(topic, []):
            identifier = record.header("ce_id")
            if record not in self.entries and identifier not in seen:
                seen.add(identifier)
                yield record

    def repeats(self) -> int:
        """How often services published an event again, which is allowed."""
        ours = [record.header("ce_id") for record in self.log if record not in self.entries]
        return len(ours) - len(set(ours))

    def effects_of(self, service: str, relation: str) -> dict[str, list[str]]:
        """The marks left on each entity, in the order they were written."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for effect in self.effects:
            if (effect.service, effect.relation) == (service, relation):
                found[effect.entity].append(effect.mark)
        return found
