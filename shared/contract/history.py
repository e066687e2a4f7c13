"""What was released: every schema an event type ever had, with golden payloads. It is only ever added to.

`history/<type>/0001.json` holds the schema as it was and payloads that were right under it, each with its key;
`history/SHA256SUMS` holds every file to what it was on the day it was released.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from . import upcasting
from .catalogue import EVENTS, EventType
from .compatibility import breaks
from .envelope import explain

FOLDER = Path(str(resources.files(__package__))) / "history"
SUMS = "SHA256SUMS"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Golden:
    """A payload that was right when it was released, and the key of its record."""

    name: str
    key: str
    data: Json


@dataclass(frozen=True, slots=True)
class Release:
    """One schema of an event type and the payloads released with it."""

    type: str
    number: int
    schema: Json
    golden: tuple[Golden, ...]

    @property
    def file(self) -> str:
        return f"{self.type}/{self.number:04}.json"


def releases(folder: Path = FOLDER) -> list[Release]:
    """Everything that was ever released, the oldest of each type first."""
    found = []
    for file in sorted(folder.glob("*/*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        golden = tuple(Golden(**one) for one in content["golden"])
        found.append(Release(file.parent.name, int(file.stem), content["schema"], golden))
    return found


def newest(folder: Path = FOLDER) -> dict[str, Release]:
    """The last release of each event type."""
    return {release.type: release for release in releases(folder)}


def add(type_name: str, schema: Json, golden: tuple[Golden, ...], folder: Path = FOLDER) -> Path | None:
    """Release the schema and its payloads, unless they are the newest release already; gives the new file."""
    last = newest(folder).get(type_name)
    if last is not None and (last.schema, last.golden) == (schema, golden):
        return None
    release = Release(type_name, last.number + 1 if last else 1, schema, golden)
    file = folder / release.file
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"schema": schema, "golden": [{"name": g.name, "key": g.key, "data": g.data} for g in golden]}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with (folder / SUMS).open("a", encoding="utf-8") as sums:
        sums.write(f"{_sum(file)}  {release.file}\n")
    return file


def altered(folder: Path = FOLDER) -> list[str]:
    """What is no longer as it was released."""
    sums = folder / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    expected = {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}
    present = {file.relative_to(folder).as_posix(): _sum(file) for file in folder.glob("*/*.json")}
    found = [f"history/{name}: was released and is gone; put it back" for name in sorted(expected.keys() - present)]
    found += [f"history/{name}: was never released; `make schemas` adds" for name in sorted(present.keys() - expected)]
    return found + [
        f"history/{name}: was changed after its release; put it back and run `make schemas`, which adds a release"
        for name in sorted(expected.keys() & present)
        if expected[name] != present[name]
    ]


def broken_by(schemas: dict[str, Json], folder: Path = FOLDER) -> Iterator[str]:
    """Whom today's models and schemas (by event type) would break among all who rely on a release."""
    for release in releases(folder):
        if release.type not in schemas:
            yield f"{release.file}: the event type is gone; others may still send or read it"
            continue
        for what in breaks(release.schema, schemas[release.type]):
            yield f"{release.file}: {what}; add a new version instead"
        for golden in release.golden:
            for what in _complaints(EVENTS[release.type], golden):
                yield f"{release.file}: the payload {golden.name!r} {what}"


def _complaints(event: EventType, golden: Golden) -> Iterator[str]:
    try:
        data = event.model.model_validate_json(json.dumps(golden.data), strict=True)
    except ValidationError as wrong:
        yield f"was right and would be refused: {explain(wrong)}; add a new version instead"
        return
    if (key := event.key_of(data)) != golden.key:
        yield f"had the key {golden.key!r} and would have {key!r}; add a new version instead"
    yield from upcasting.complaints(event, data)


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
