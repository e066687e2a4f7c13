"""Whether a changed JSON Schema still serves everybody who relies on the old one.

Writers are strict and readers tolerant, so an added optional field is harmless. What breaks somebody: a field that is
gone or of another type, a field newly required, another default, a bound, pattern or set of values that is tighter (old
writers' events would be refused) or wider (old readers would refuse the new ones), another key or topic.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_DESCRIBING = frozenset({"title", "description", "examples", "$id", "$schema", "$defs", "x-topic", "x-key"})
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_STRUCTURE = frozenset({"properties", "required", "items", "anyOf", "$ref", "additionalProperties"})


def breaks(old: Json, new: Json) -> list[str]:
    """Every way in which the new schema breaks the old one's users; empty when there is none."""
    found = [
        f"{word} changed from {old.get(word)!r} to {new.get(word)!r}"
        for word in ("x-topic", "x-key")
        if old.get(word) != new.get(word)
    ]
    return found + list(_compare(old, new, old, new, "data", frozenset()))


def _compare(old: Json, new: Json, old_root: Json, new_root: Json, place: str, seen: frozenset[str]) -> Iterator[str]:
    reference = f"{old.get('$ref')} {new.get('$ref')}"
    if "$ref" in old and reference in seen:
        return
    old, new, seen = _resolved(old, old_root), _resolved(new, new_root), seen | {reference}
    yield from _compare_properties(old, new, old_root, new_root, place, seen)
    yield from _compare_parts(old, new, old_root, new_root, place, seen)
    yield from _compare_bounds(old, new, place)
    handled = _DESCRIBING | _STRUCTURE | {*_LOWER_BOUNDS, *_UPPER_BOUNDS}
    for word in sorted((old.keys() | new.keys()) - handled):
        if old.get(word) != new.get(word):
            yield f"{place}: {word} changed from {old.get(word)!r} to {new.get(word)!r}"


def _compare_properties(
    old: Json, new: Json, old_root: Json, new_root: Json, place: str, seen: frozenset[str]
) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield f"{place}.{name} is gone"
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{place}.{name} is newly required"
    for name in sorted(set(old.get("required", [])) - set(new.get("required", []))):
        if name in after:
            yield f"{place}.{name} is no longer required, so readers may miss it"
    for name in sorted(before.keys() & after.keys()):
        yield from _compare(before[name], after[name], old_root, new_root, f"{place}.{name}", seen)


def _compare_parts(
    old: Json, new: Json, old_root: Json, new_root: Json, place: str, seen: frozenset[str]
) -> Iterator[str]:
    before, after = old.get("anyOf", []), new.get("anyOf", [])
    if len(before) != len(after):
        yield f"{place}: the accepted kinds of value changed"
    else:
        for one, other in zip(before, after, strict=True):
            yield from _compare(one, other, old_root, new_root, place, seen)
    for word in ("items", "additionalProperties"):
        one, other = old.get(word), new.get(word)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _compare(one, other, old_root, new_root, f"{place}[]", seen)
        elif one != other:
            yield f"{place}: {word} changed from {one!r} to {other!r}"


def _compare_bounds(old: Json, new: Json, place: str) -> Iterator[str]:
    for words, tighter in ((_LOWER_BOUNDS, 1), (_UPPER_BOUNDS, -1)):
        for word in words:
            before, after = old.get(word), new.get(word)
            if before == after:
                continue
            if before is None or (after is not None and (after - before) * tighter > 0):
                yield f"{place}: {word} {after} is tighter than {before}, so events that were right would be refused"
            else:
                yield f"{place}: {word} {after} is wider than {before}, so readers out there would refuse what is new"


def _resolved(schema: Json, root: Json) -> Json:
    if "$ref" not in schema:
        return schema
    target: Json = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return target | {word: value for word, value in schema.items() if word != "$ref"}
