"""A service's whole schema as text, what is packed away unpacked, to look for what must not be there."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

Fetch = Callable[..., Awaitable[Sequence[Any]]]
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")


async def dump(fetch: Fetch, schema: str) -> dict[str, str]:
    """The text of every table of the schema by its name; bytes are decoded, and so is what looks like base64."""
    tables = await fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 AND table_type = 'BASE TABLE'", schema
    )
    found = {}
    for table in (row["table_name"] for row in tables):
        rows = await fetch(f'SELECT * FROM "{schema}"."{table}"')  # noqa: S608 - names from the catalogue
        plain = "\n".join(_text(value) for row in rows for value in row.values())
        found[table] = plain + "\n" + "\n".join(_unpacked(plain))
    assert found, f"there is no schema {schema}"
    return found


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _unpacked(text: str) -> list[str]:
    found = []
    for packed in _BASE64.findall(text):
        try:
            found.append(base64.b64decode(packed, validate=True).decode("utf-8", "replace"))
        except (binascii.Error, ValueError):
            continue
    return found
