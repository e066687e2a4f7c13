"""Headers as they lie in the database: names whole, values in base64, since they may be any bytes or none."""

import base64
from collections.abc import Sequence

Headers = list[tuple[str, bytes | None]]


def to_json(headers: Sequence[tuple[str, bytes | None]]) -> list[list[str | None]]:
    return [[_name(name), None if content is None else base64.b64encode(content).decode()] for name, content in headers]


def from_json(headers: Sequence[Sequence[str | None]]) -> Headers:
    return [(name or "", None if content is None else base64.b64decode(content)) for name, content in headers]


def _name(name: str) -> str:
    """PostgreSQL's text takes no NUL and UTF-8 no half of a surrogate pair: kept escaped, as other odd bytes are."""
    return name.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
