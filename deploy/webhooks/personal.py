"""Whom an event is about, and what is left of it when a person is erased."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

OUTLAST = frozenset({"earshot.ParticipantErased.v1", "earshot.ErasureCompleted.v1"})
"""They say that somebody is gone, so they go to receivers as they are."""


def people_in(event_type: str, about: Sequence[str], data: Mapping[str, Any]) -> list[str]:
    """The ids that the event's fields `about` people hold; a request's id stands for whoever asked."""
    if event_type in OUTLAST:
        return []
    return sorted({person for name in about for person in _listed(data.get(name))})


def without(body: str, about: Sequence[str], erased: Collection[str]) -> str | None:
    """The structured event without the erased people; None where it is about one of them alone."""
    event = json.loads(body)
    data: dict[str, Any] = event["data"]
    for name in about:
        if isinstance(people := data.get(name), list):
            data[name] = [person for person in people if person not in erased]
        elif people in erased:
            return None
    return json.dumps(event)


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [] if value is None else [str(value)]
