"""Atom feeds (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written."""

ET.register_namespace("", ATOM)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a feed; `html` is what the reader shows, `author` None for the feed's own."""

    address: str
    title: str
    html: str
    published_at: datetime
    updated_at: datetime
    author: str | None = None


def atom(*, title: str, author: str, page: str, feed: str, items: Sequence[Item], since: datetime) -> bytes:
    """The feed as XML; `page` and `feed` are the addresses of what it tells of and of itself.

    A feed without items was last changed at `since`. An item is known by its address, which never changes.
    """
    root = ET.Element(_tag("feed"))
    _text(root, "id", feed)
    _text(root, "title", title)
    _text(root, "updated", _time(max((item.updated_at for item in items), default=since)))
    _text(ET.SubElement(root, _tag("author")), "name", author)
    ET.SubElement(root, _tag("link"), {"rel": "self", "type": "application/atom+xml", "href": feed})
    ET.SubElement(root, _tag("link"), {"rel": "alternate", "type": "text/html", "href": page})
    for item in items:
        entry = ET.SubElement(root, _tag("entry"))
        _text(entry, "id", item.address)
        _text(entry, "title", item.title)
        _text(entry, "published", _time(item.published_at))
        _text(entry, "updated", _time(item.updated_at))
        ET.SubElement(entry, _tag("link"), {"rel": "alternate", "type": "text/html", "href": item.address})
        if item.author:
            _text(ET.SubElement(entry, _tag("author")), "name", item.author)
        _text(entry, "content", item.html).set("type", "html")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, _tag(name))
    child.text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return child


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
