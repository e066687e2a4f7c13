"""JSON Schemas of the events: generated from the models, committed, and never changed in a way that breaks anyone.

`python -m shared.contract.schemas write` writes them, and refuses where a reader or writer already out there would
break; `… check` compares without writing.
"""

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from .asyncapi import document
from .compatibility import breaks
from .events import EVENTS, EventType

FOLDER = Path(str(resources.files(__package__))) / "schemas"
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
    files["asyncapi.json"] = document()
    return files


def committed(folder: Path = FOLDER) -> dict[str, Json]:
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}


def findings(old: dict[str, Json], new: dict[str, Json]) -> list[str]:
    """What in the new documents would break somebody who relies on the old ones."""
    found = []
    for name, before in old.items():
        if name == "asyncapi.json":
            continue
        if name not in new:
            found.append(f"{name}: the event type is gone; others may still send or read it")
        else:
            found += [f"{name}: {what}; add a new version instead" for what in breaks(before, new[name])]
    return found


def main(arguments: list[str]) -> int:
    old, new = committed(), generated()
    broken = findings(old, new)
    for line in broken:
        print(line, file=sys.stderr)  # noqa: T201 - a command line prints
    if broken:
        return 1
    if arguments == ["write"]:
        FOLDER.mkdir(exist_ok=True)
        for name, content in new.items():
            (FOLDER / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return 0
    stale = sorted(name for name in new.keys() | old.keys() if old.get(name) != new.get(name))
    for name in stale:
        print(f"{name}: differs from the models; run `make schemas` and commit", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
