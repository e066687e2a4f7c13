"""What cannot be handled: once in the dead letters of each service concerned, with its bytes; nothing else is there."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.checker.evidence import Evidence, Letter, Logged
from tests.faults.checker.findings import Finding


def check_letters(evidence: Evidence) -> Iterator[Finding]:
    expected: dict[tuple[str, str, int, int], Logged] = {
        (service, record.topic, record.partition, record.offset): record
        for record, entry in evidence.entries.items()
        for service in entry.rejected_by
    }
    found = {(one.service, one.topic, one.partition, one.offset): one for one in evidence.letters}
    for place, times in Counter((o.service, o.topic, o.partition, o.offset) for o in evidence.letters).items():
        if times > 1:
            yield Finding("TWICE", _where(place), f"{times} dead letters for one record")
    for place in sorted(expected.keys() - found.keys()):
        entry = evidence.entries[expected[place]]
        yield Finding("POISON", _where(place), f"record {entry.n} ({entry.kind}) is in no dead letter")
    for place in sorted(found.keys() - expected.keys()):
        record = next((one for one in evidence.entries if (one.topic, one.partition, one.offset) == place[1:]), None)
        what = evidence.entries[record].kind if record else "a record of a service"
        yield Finding("POISON", _where(place), f"{what} was rejected: {found[place].reason}")
    for place in sorted(expected.keys() & found.keys()):
        if wrong := _difference(expected[place], found[place]):
            yield Finding("POISON", _where(place), f"the dead letter's {wrong} is not the record's")


def _difference(record: Logged, letter: Letter) -> str | None:
    pairs = {
        "key": (record.key, letter.key),
        "value": (record.value, letter.value),
        "headers": (record.headers, letter.headers),
    }
    return next((name for name, (there, kept) in pairs.items() if there != kept), None)


def _where(place: tuple[str, str, int, int]) -> str:
    service, topic, partition, offset = place
    return f"dead letters of {service}, {topic}/{partition}@{offset}"
