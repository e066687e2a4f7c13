"""When an answer counts as the expected one.

Tolerances are absolute, for the whole case or by key: a name covers the key it equals and keys it is a prefix of at a
word or digit boundary (`avg` covers `avg_effect`, `ci` covers `ci95`). `<name>_rel` is relative to the expected value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

EXACT = 1e-9
"""Tolerance where a case states none: equal but for rounding."""

ALIASES = {"ci": "avg_ci95", "ci_rel": "avg_ci95_rel"}
"""Impact cases call the interval of the average effect just `ci`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What differs from the expected answer, and which keys were not answered."""

    wrong: list[str]
    missing: list[str]


def judge(
    expected: Mapping[str, Any], answer: Mapping[str, Any], tolerance: float | Mapping[str, float] | None
) -> Verdict:
    """Compare all expected keys; more keys in the answer are fine.

    When tolerances are given by key and no name covers a key, a float that is not a count is not judged: sources print
    it, but simulate it or round it as they like.
    """
    expected, answer = spell_out(expected, answer)
    wrong = [
        difference
        for key, value in expected.items()
        if key in answer
        for difference in differences(key, value, answer[key], _allowed(key, expected, tolerance))
    ]
    return Verdict(wrong, [key for key in expected if key not in answer])


def spell_out(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn statements about a list of slots or ranges (its count, its first, what it contains) into plain keys."""
    stated = {key: value for key, value in expected.items() if key not in {"stated", "slots_derived"}}
    stated = {**expected.get("stated", {}), **stated}
    zone = stated.pop("dates_timezone", "UTC")
    listed = answer.get("slots", answer.get("ranges"))
    if not isinstance(listed, list):
        return stated, dict(answer)
    derived = {
        "count": len(listed),
        "first": listed[0] if listed else None,
        "last": listed[-1] if listed else None,
        "contains": [item for item in stated.get("contains", []) if item in listed],
        "absent": [item for item in stated.get("absent", []) if item not in listed],
    }
    if "dates_with_slots" in stated:
        derived["dates_with_slots"] = sorted({_date(item, zone) for item in listed})
    return stated, {**derived, **answer}


def differences(where: str, expected: Any, got: Any, allowed: float | None) -> Iterator[str]:
    """Yield each place where `got` is not `expected`; None is only equal to None, and bool is no number."""
    if isinstance(expected, dict) and isinstance(got, Mapping):
        for key, value in expected.items():
            yield from differences(f"{where}.{key}", value, got.get(key, "nothing"), allowed)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for index, (value, other) in enumerate(zip(expected, got, strict=True)):
            yield from differences(f"{where}[{index}]", value, other, allowed)
    elif _is_number(expected) and _is_number(got):
        if allowed is None and isinstance(got, int):
            allowed = EXACT
        if allowed is not None and not abs(expected - got) <= allowed:
            yield f"{where}: expected {expected!r} within {allowed:g}, got {got!r}"
    elif type(expected) is not type(got) or expected != got:
        yield f"{where}: expected {expected!r}, got {got!r}"


def _allowed(key: str, expected: Mapping[str, Any], tolerance: float | Mapping[str, float] | None) -> float | None:
    """Absolute tolerance of a key; None when tolerances go by key and none covers it."""
    if not isinstance(tolerance, Mapping):
        return EXACT if tolerance is None else tolerance
    if expected.get("true_effect") == 0 and "abs_if_no_effect" in tolerance:
        return tolerance["abs_if_no_effect"]
    covering = [(name, value) for name, value in tolerance.items() if _covers(_target(name), key)]
    if not covering:
        return None
    name, value = max(covering, key=lambda item: len(_target(item[0])))
    return value * _magnitude(expected[key]) if name.endswith("_rel") else value


def _target(name: str) -> str:
    return ALIASES.get(name, name).removesuffix("_rel")


def _covers(name: str, key: str) -> bool:
    rest = key.removeprefix(name)
    return key.startswith(name) and (not rest or rest[0] == "_" or rest[0].isdigit())


def _magnitude(value: Any) -> float:
    return max((abs(float(item)) for item in value), default=0.0) if isinstance(value, list) else abs(float(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _date(instant: str, zone: str) -> str:
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).date().isoformat()
