"""Payloads of every event type, written by hand: the least there can be, everything there can be, and odd but right.

They are shown in the AsyncAPI document and become golden payloads with the next release of the schema.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .catalogue import EventType
from .envelope import explain

FOLDER = Path(str(resources.files(__package__))) / "examples"
NAMES = ("minimal", "full", "odd")
Json = dict[str, Any]


def examples(event: EventType, folder: Path = FOLDER) -> dict[str, Json]:
    """The event type's examples by name; empty where nobody wrote them yet."""
    file = folder / f"{event.type}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def complaints(event: EventType, folder: Path = FOLDER) -> list[str]:
    """What is wrong with the event type's examples."""
    given = examples(event, folder)
    place = f"examples/{event.type}.json"
    if tuple(given) != NAMES:
        return [f"{place}: needs the payloads {', '.join(NAMES)}"]
    fields = event.model.model_fields
    found = []
    if missing := sorted(fields.keys() - given["full"].keys()):
        found.append(f"{place}: full leaves out {', '.join(missing)}")
    if surplus := sorted(name for name in given["minimal"] if name in fields and not fields[name].is_required()):
        found.append(f"{place}: minimal could do without {', '.join(surplus)}")
    for name, data in given.items():
        try:
            event.model.model_validate_json(json.dumps(data), strict=True)
        except ValidationError as wrong:
            found.append(f"{place}: {name} is refused: {explain(wrong)}")
    return found
