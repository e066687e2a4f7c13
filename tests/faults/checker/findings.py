"""What the checker says: one word for what went wrong, and everything one needs to look into it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from tests.faults.checker.evidence import Evidence, Logged
from tests.faults.ledger import shown

Word = Literal["LOST", "TWICE", "ORDER", "INVENTED", "POISON", "LEFT", "BROKER"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between what should be and what is."""

    word: Word
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.word} {self.where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Expected:
    """A mark that an event should leave; of two of one entity the one of higher rank holds."""

    mark: str
    rank: Any
    record: Logged


def exact(evidence: Evidence, where: str, expected: Sequence[Expected], found: Sequence[str]) -> Iterator[Finding]:
    """Every expected mark once, in this order, and nothing else."""
    marks = [one.mark for one in expected]
    if marks == list(found):
        return
    wanted, there = Counter(marks), Counter(found)
    yield from _differences(evidence, where, expected, "LOST", wanted - there)
    yield from _differences(
        evidence, where, expected, "TWICE", Counter({m: n for m, n in (there - wanted).items() if m in wanted})
    )
    if invented := sorted(set(there) - set(wanted)):
        yield Finding("INVENTED", where, f"took effect though it should not have: {', '.join(invented[:5])}")
    if wanted == there:
        place = next(i for i, (a, b) in enumerate(zip(marks, found, strict=True)) if a != b)
        wrong, right = list(found[place : place + 3]), told(evidence, expected[place : place + 3])
        yield Finding("ORDER", where, f"from place {place} on {wrong} instead of {right}")


def rising(evidence: Evidence, where: str, expected: Sequence[Expected], found: Sequence[str]) -> Iterator[Finding]:
    """Some of the marks, their ranks rising, the highest last: whoever comes late changes nothing."""
    by_mark = {one.mark: one for one in expected}
    for mark, times in Counter(found).items():
        if mark not in by_mark:
            yield Finding("INVENTED", where, f"{mark} took effect though it should not have")
        elif times > 1:
            yield Finding("TWICE", where, f"{times} times: {told(evidence, [by_mark[mark]])}")
    known = [by_mark[mark] for mark in found if mark in by_mark]
    for before, after in pairwise(known):
        if after.rank < before.rank:
            yield Finding(
                "ORDER", where, f"{told(evidence, [before])} was overwritten by the older {told(evidence, [after])}"
            )
    last = max(expected, key=lambda one: one.rank)
    if not known or known[-1].rank < last.rank:
        held = known[-1].mark if known else "nothing"
        yield Finding("LOST", where, f"holds {held} instead of {told(evidence, [last])}")


def told(evidence: Evidence, expected: Iterable[Expected]) -> str:
    """Event ids, offsets and the faults in force when each was sent."""
    parts = []
    for one in expected:
        entry = evidence.entries.get(one.record)
        name = entry.event_id if entry else one.record.header("ce_id")
        faults = shown(evidence.ledger.active[entry.n]) if entry else "of a service"
        parts.append(f"{name} ({one.record}, key {one.record.key!r}, sent during {faults})")
    return ", ".join(parts)


def _differences(
    evidence: Evidence, where: str, expected: Sequence[Expected], word: Word, marks: Counter[str]
) -> Iterator[Finding]:
    if marks:
        concerned = [one for one in expected if one.mark in marks]
        yield Finding(word, where, f"{marks.total()} effects, first: {told(evidence, concerned[:3])}")
