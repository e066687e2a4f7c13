"""The whole judgement over a body of evidence."""

from collections.abc import Iterator

from tests.faults.checker.evidence import Evidence
from tests.faults.checker.findings import Finding
from tests.faults.checker.incoming import check_incoming
from tests.faults.checker.letters import check_letters
from tests.faults.checker.outgoing import check_outgoing


def judge(evidence: Evidence) -> list[Finding]:
    """Every difference between what should be and what is; none means that the promise was kept."""
    # When the log itself is not what the generator published, the services are not to blame for what follows.
    return list(_check_broker(evidence)) or [
        *check_incoming(evidence),
        *check_outgoing(evidence),
        *check_letters(evidence),
    ]


def _check_broker(evidence: Evidence) -> Iterator[Finding]:
    """What was acknowledged lies where the broker said, and nobody else publishes."""
    ledger, there = evidence.ledger, {(one.topic, one.partition, one.offset): one for one in evidence.log}
    last: dict[tuple[str, int], tuple[int, int]] = {}
    for n, place in sorted(ledger.places.items()):
        entry = ledger.entries[n]
        record = there.get((entry.topic, place.partition, place.offset))
        where = f"{entry.topic}/{place.partition}@{place.offset}"
        if record is None or record.sha256 != entry.sha256:
            yield Finding("BROKER", where, f"record {n} ({entry.event_id}) was acknowledged there and is not there")
        before = last.get((entry.topic, place.partition), (-1, -1))
        if place.offset < before[1]:
            yield Finding("BROKER", where, f"record {n} lies before record {before[0]}, which was published earlier")
        last[entry.topic, place.partition] = (n, place.offset)
    for record in evidence.log:
        if record not in evidence.entries and not (record.header("ce_source") or "").startswith("/earshot/"):
            yield Finding("BROKER", str(record), "nobody who is known published this record")
