"""Records as people read and write them: bytes that are text as text, everything else escaped or in base64."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator

Headers = list[tuple[str, bytes | None]]

PLAIN = frozenset("\n\t")


class Unreadable(ValueError):  # noqa: N818 - named for what the text is
    """What somebody wrote is no list of headers; the message says which line and what to do."""


def as_text(content: bytes | None) -> str | None:
    """The bytes as UTF-8; None where they are not."""
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None


def as_json(content: bytes | None) -> str | None:
    """The bytes as indented JSON; None where they are not JSON."""
    try:
        value = json.loads(content or b"")
        text = json.dumps(value, indent=2, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2)  # with half a surrogate pair, which only an escape can show
    except (ValueError, RecursionError):
        return None
    return text


def shown(content: bytes | None, most: int) -> str:
    """What a person may see of the bytes: what is not printable escaped, cut after `most` characters."""
    if content is None:
        return ""
    # No character takes more than four bytes, so this is enough; one that is cut in two is shown as its bytes.
    text = content[: 4 * most].decode("utf-8", "backslashreplace")
    safe = "".join(sign if sign.isprintable() or sign in PLAIN else _escaped(sign) for sign in text[:most])
    return safe if len(text) <= most and len(content) <= 4 * most else f"{safe}…"


def visible(text: str, most: int) -> str:
    """The same for text that a sender chose."""
    return shown(text.encode("utf-8", "replace"), most)


def is_plain(text: str) -> bool:
    """Whether the text comes back from a form as it is."""
    return all(sign.isprintable() or sign in PLAIN for sign in text)


def write_headers(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """One header a line, as in LDIF: `name: text`, `name:: base64`, or the name alone for one without a value."""
    return "\n".join(_line(name, content) for name, content in headers)


def read_headers(text: str) -> Headers:
    """What `write_headers` wrote, and whatever a person made of it; empty lines are left out.

    Raises:
        Unreadable: a line is no header.
    """
    return [_header(number, line) for number, line in _lines(text)]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if line.strip():
            yield number, line


def _line(name: str, content: bytes | None) -> str:
    plain_name = name.isprintable() and ":" not in name and name == name.strip() and name and name[0] != '"'
    written = name if plain_name else json.dumps(name)
    if content is None:
        return written
    text = as_text(content)
    if text is not None and text.isprintable() and text == text.strip():
        return f"{written}: {text}"
    return f"{written}:: {base64.b64encode(content).decode()}"


def _header(number: int, line: str) -> tuple[str, bytes | None]:
    name, rest = _name(number, line.strip())
    if rest.startswith("::"):
        try:
            return name, base64.b64decode(rest[2:].strip(), validate=True)
        except binascii.Error:
            raise Unreadable(f"line {number}: what follows :: must be base64; write one colon before text") from None
    if rest.startswith(":"):
        return name, rest[1:].strip().encode()
    if rest:
        raise Unreadable(f"line {number}: a colon must follow the quoted name")
    return name, None


def _name(number: int, line: str) -> tuple[str, str]:
    if line.startswith('"'):
        try:
            name, end = json.JSONDecoder().raw_decode(line)
        except ValueError:
            raise Unreadable(f"line {number}: the quoted name does not end; close it with another quote") from None
        return str(name), line[end:].strip()
    name, colon, rest = line.partition(":")
    if not name.strip():
        raise Unreadable(f"line {number}: a header needs a name before its colon")
    return name.strip(), f"{colon}{rest}"


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
