"""JSON Schemas of the events: generated from the models, committed, and never changed in a way that breaks anyone.

`python -m shared.contract.schemas write` writes them and adds what changed to the history of releases; it refuses where
a reader or writer of any release would break. `… check` compares without writing.
"""

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from . import history
from .asyncapi import document
from .catalogue import EVENTS, EventType
from .examples import complaints, examples

FOLDER = Path(str(resources.files(__package__))) / "schemas"
ASYNCAPI = "asyncapi.json"
Json = dict[str, Any]


def schema(event: EventType) -> Json:
    """The event's JSON Schema (2020-12) as writers see it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:earshot:{event.type}",
        **event.model.model_json_schema(mode="validation"),
        "x-topic": event.topic,
        "x-key": list(event.key),
    }


def generated() -> dict[str, Json]:
    """Every committed document by its file name."""
    files = {f"{event.type}.json": schema(event) for event in EVENTS.values()}
    files[ASYNCAPI] = document()
    return files


def committed(folder: Path = FOLDER) -> dict[str, Json]:
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}


def findings(new: dict[str, Json]) -> list[str]:
    """What keeps the new documents from being written: somebody would break, or examples are missing."""
    schemas = {name.removesuffix(".json"): content for name, content in new.items() if name != ASYNCAPI}
    unfit = [complaint for event in EVENTS.values() for complaint in complaints(event)]
    return [*history.altered(), *history.broken_by(schemas), *unfit]


def golden(event: EventType) -> tuple[history.Golden, ...]:
    """The event type's examples as they are released with its schema."""
    found = []
    for name, data in examples(event).items():
        key = event.key_of(event.model.model_validate_json(json.dumps(data), strict=True))
        found.append(history.Golden(name, key, data))
    return tuple(found)


def write(new: dict[str, Json]) -> None:
    """Write the documents and release what changed."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in new.items():
        (FOLDER / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for event in EVENTS.values():
        history.add(event.type, new[f"{event.type}.json"], golden(event))


def stale(new: dict[str, Json]) -> list[str]:
    """Which committed documents are not what the models say, and which releases are missing."""
    old, released = committed(), history.newest()
    found = [f"schemas/{name}" for name in sorted(new.keys() | old.keys()) if old.get(name) != new.get(name)]
    for event in EVENTS.values():
        last = released.get(event.type)
        if last is None or (last.schema, last.golden) != (new[f"{event.type}.json"], golden(event)):
            found.append(f"history/{event.type}")
    return found


def main(arguments: list[str]) -> int:
    """Write, or check without writing; the exit code says whether all is well."""
    new = generated()
    told = findings(new)
    if not told and arguments == ["write"]:
        write(new)
    elif not told:
        told = [f"{name}: differs from the models; run `make schemas` and commit" for name in stale(new)]
    for line in told:
        print(line, file=sys.stderr)  # noqa: T201 - a command line prints
    return 1 if told else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
