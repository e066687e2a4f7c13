"""Whether any bytes mention a person, however they are written; and how to recognise that later without the person.

What could not be read as an event may be anything: JSON with escapes, JSON within JSON, base64, broken text. So it is
searched as it stands and with its escapes undone, by whole words: `p-1` is not in `p-12`. Every pattern takes time in
proportion to the text, since whoever can send may choose it.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import unquote

_ID = re.compile(r"[A-Za-z0-9._:@-]+")
_WORD = re.compile(r"[^\s\"<>()\[\]{},;:\\/=?&|]+")
_PHONE = re.compile(r"\+?\d[\d ()./-]{5,}\d")
_ESCAPE = re.compile(r"(?<!\\)\\++(?:u([0-9A-Fa-f]{4})|[\"/bfnrt])")
_BASE64 = re.compile(r'"data_base64"\s*:\s*"([^"]+)"')
_EDGES = ".:-'"
_SHORTEST_PHONE = 7
"""Digits; fewer are in many a number."""


@dataclass(frozen=True, slots=True)
class Person:
    """What recognises somebody; everything but the ids may be unknown."""

    ids: tuple[str, ...]
    email: str | None = None
    name: str | None = None
    phone: str | None = None

    def is_in(self, *contents: bytes | str | None) -> bool:
        """Whether one of the contents names the person; a name of one word counts only where it stands alone."""
        texts = [text for content in contents if content for text in _readings(content)]
        if any(not ids.isdisjoint(self.ids) for ids in map(_ids, texts)):
            return True
        addresses, name, phone = _spellings(self.email), _pattern(self.name), _digits(self.phone)
        return any(
            not addresses.isdisjoint(_addresses(folded))
            or (name is not None and name.search(folded) is not None)
            or (phone is not None and phone in _phones(folded))
            for folded in map(_folded, texts)
        )

    def marks(self) -> tuple[set[bytes], set[bytes]]:
        """Hashes of the ids and of the address, by which `marks_in` recognises the person later."""
        return {_mark("id", one) for one in self.ids}, {_mark("address", one) for one in _spellings(self.email)}


def marks_in(*contents: bytes | str | None) -> set[bytes]:
    """The hashes of everything in the contents that may be somebody's id or address."""
    texts = {text for content in contents if content for text in _readings(content)}
    ids = {one for text in texts for one in _ids(text)}
    addresses = {one for text in texts for one in _addresses(_folded(text))}
    return {_mark("id", one) for one in ids} | {_mark("address", one) for one in addresses}


def _readings(content: bytes | str) -> Iterator[str]:
    """The content as text: as it stands, with escapes undone, and what it holds in base64."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    yield text
    if "\\" in text:
        undone = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", text)
        yield undone.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "%" in text:
        yield unquote(text)
    if isinstance(content, bytes) and b"\x00" in content:
        yield from (content.decode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be"))
    for encoded in _BASE64.findall(text):
        try:
            inner = base64.b64decode(encoded.replace("\\/", "/"))
        except (binascii.Error, ValueError):
            continue
        yield from _readings(inner)


def _folded(text: str) -> str:
    """Equal for all spellings of the same letters: composed or not, wide or not, in either case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())


def _both(found: Iterable[str]) -> set[str]:
    """As found, and without what a sentence may have put at its edges."""
    return {one for each in found for one in (each, each.strip(_EDGES)) if one}


def _ids(text: str) -> set[str]:
    return _both(_ID.findall(text))


def _addresses(folded: str) -> set[str]:
    return _both(word for word in _WORD.findall(folded) if "@" in word)


def _spellings(email: str | None) -> set[str]:
    if not email:
        return set()
    local, _, domain = _folded(email).rpartition("@")
    try:
        return {f"{local}@{domain}", f"{local}@{domain.encode('idna').decode()}"}
    except UnicodeError:
        return {f"{local}@{domain}"}


def _pattern(name: str | None) -> re.Pattern[str] | None:
    """A name as a whole; its words may be joined by anything that is no letter."""
    words = re.findall(r"[^\W_]+", _folded(name or ""))
    if not words:
        return None
    before, after = (r'"\s*', r'\s*"') if len(words) == 1 else (r"(?<![^\W_])", r"(?![^\W_])")
    return re.compile(before + r"[\W_]+".join(map(re.escape, words)) + after)


def _phones(folded: str) -> set[str | None]:
    return {_digits(found) for found in _PHONE.findall(folded)}


def _digits(phone: str | None) -> str | None:
    digits = re.sub(r"\D", "", phone or "").lstrip("0")
    return digits if len(digits) >= _SHORTEST_PHONE else None


def _mark(kind: str, text: str) -> bytes:
    return sha256(f"{kind} {text}".encode("utf-8", "replace")).digest()
