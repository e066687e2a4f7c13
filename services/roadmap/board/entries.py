"""What the changelog tells: an entry, and when it is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the changelog, its text in Markdown; a draft has no `published_at`."""

    entry_id: str
    title: str
    body: str
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    feature_ids: tuple[str, ...] = ()


def edited(entry: Entry, title: str, body: str, feature_ids: tuple[str, ...], now: datetime) -> Entry:
    """The entry with what was typed; nothing changes but what differs."""
    ids = tuple(sorted(set(feature_ids)))
    if (entry.title, entry.body, entry.feature_ids) == (title, body, ids):
        return entry
    return replace(entry, title=title, body=body, feature_ids=ids, updated_at=now)


def published(entry: Entry, *, shown: bool, now: datetime) -> Entry:
    """The entry for everybody to read, or as a draft again; what is published keeps its first date."""
    if shown == (entry.published_at is not None):
        return entry
    return replace(entry, published_at=now if shown else None, updated_at=now)
