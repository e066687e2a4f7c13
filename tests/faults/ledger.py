"""The ledger: what is published, written down before it is, and what happened meanwhile; one JSON object a line.

Lines: `sent` (before the record leaves), `acked` (the broker has it), `failed` (outcome unknown), `fault` (begins or
ends).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it was to be published; `rejected_by` names the services that cannot handle it."""

    n: int
    topic: str
    kind: str
    sha256: str
    event_id: str | None = None
    rejected_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the broker put a record."""

    partition: int
    offset: int


@dataclass
class Ledger:
    """A ledger as it was read."""

    entries: dict[int, Entry] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    active: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """For each entry the faults that were in force when it was sent."""


class Writer:
    """Appends and flushes line by line, so that the ledger outlives its writer."""

    def __init__(self, file: Path) -> None:
        self._out: TextIO = file.open("a", encoding="utf-8")

    def sent(self, entry: Entry) -> None:
        self._write({"what": "sent", **asdict(entry)})

    def acked(self, n: int, place: Place) -> None:
        self._write({"what": "acked", "n": n, **asdict(place)})

    def failed(self, n: int, why: str) -> None:
        self._write({"what": "failed", "n": n, "why": why})

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        self._write({"what": "fault", "name": name, "phase": "begins"})
        try:
            yield
        finally:
            self._write({"what": "fault", "name": name, "phase": "ends"})

    def close(self) -> None:
        self._out.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


def read(file: Path) -> Ledger:
    """The whole ledger; a last line that was cut off by a kill is left out."""
    ledger, faults = Ledger(), list[str]()
    for text in file.read_text(encoding="utf-8").splitlines(keepends=True):
        if text.endswith("\n"):
            _take(ledger, json.loads(text), faults)
    return ledger


def _take(ledger: Ledger, line: dict[str, Any], faults: list[str]) -> None:
    what = line.pop("what")
    if what == "sent":
        entry = Entry(**{**line, "rejected_by": tuple(line["rejected_by"])})
        ledger.entries[entry.n] = entry
        ledger.active[entry.n] = tuple(faults)
    elif what == "acked":
        ledger.places[line["n"]] = Place(line["partition"], line["offset"])
    elif what == "fault":
        (faults.append if line["phase"] == "begins" else faults.remove)(line["name"])


def shown(faults: Sequence[str]) -> str:
    return ", ".join(faults) or "no fault"
