"""Dates, numbers and ages as a reader writes them: template filters and the functions behind them.

Moments come in as UTC-aware `datetime`; the reader's zone and locale decide how they look, and the zone is named.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_timedelta
from babel.numbers import parse_pattern
from jinja2 import pass_context
from markupsafe import Markup

from shared.ui.words import DEFAULT, SOURCE, language_of, locale_of, tag

if TYPE_CHECKING:
    from jinja2.runtime import Context
    from starlette.requests import Request

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the page: the locale that formats its dates and numbers, and the zone of its clock."""

    locale: Locale
    zone: ZoneInfo
    language: str = SOURCE

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return tag(self.language)


def reader_of(request: Request, languages: tuple[str, ...] = (SOURCE,)) -> Reader:
    """Who asks, in one of these languages; the zone comes from the `zone` cookie that our script sets."""
    language = language_of(request, languages)
    locale = locale_of(language, request.headers.get("accept-language", ""))
    return Reader(locale, _zone(request.cookies.get("zone", "")), language)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(unquote(name))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")


def moment(value: datetime, reader: Reader, style: str = "full") -> Markup:
    """Return `<time>` for a moment: `full` (Mon 23 Nov 2026, 10:30 GMT), `short` (23 Nov, 10:30) or `clock` (10:30).

    Raises ValueError for a datetime without a zone.
    """
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone; give a UTC-aware datetime")
    local = value.astimezone(reader.zone)
    clock = format_datetime(local, reader.locale.time_formats["short"].pattern, locale=reader.locale)
    text = clock
    if style != "clock":
        skeleton = "yMMMEd" if style == "full" else "MMMd"
        text = f"{format_skeleton(skeleton, local, locale=reader.locale)}, {clock}"
    if style == "full":
        text = f"{text} {local.tzname()}"
    machine = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}</time>').format(machine, text)


def day(value: date, reader: Reader, style: str = "medium") -> Markup:
    """Return `<time>` for a calendar day; `style` is one of Babel's: short, medium, long, full."""
    text = format_date(value, style, locale=reader.locale)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), text)


def number(value: float, locale: Locale = DEFAULT, digits: int | None = None, *, sign: bool = False) -> str:
    """Return `value` with the locale's marks; `digits` fixes the decimals, `sign` shows + and a true minus."""
    pattern = "#,##0.###" if digits is None else _with_decimals("#,##0", digits)
    return _signed(value, _formatted(abs(value), pattern, locale), sign=sign)


def figure(value: float, locale: Locale, *beside: float, sign: bool = False) -> str:
    """The value with two digits that count, or three for a value alone; as many decimals as the values `beside` it."""
    greatest = max(abs(one) for one in (value, *beside))
    counting = 2 if beside else 3
    decimals = counting - 1 - math.floor(math.log10(greatest)) if greatest else 0
    return number(value, locale, min(max(decimals, 0), 6), sign=sign)


def percent(share: float, locale: Locale = DEFAULT, digits: int = 0, *, sign: bool = False) -> str:
    """Return a share of 1 in per cent: 0.123 is "12%"."""
    pattern = _with_decimals(locale.percent_formats[None].pattern, digits)
    return _signed(share, _formatted(abs(share), pattern, locale), sign=sign)


@lru_cache(maxsize=10_000)
def _formatted(value: float, pattern: str, locale: Locale) -> str:
    """Babel takes a tenth of a millisecond for each number, and a page of a table shows the same hundreds again."""
    text: str = parse_pattern(pattern).apply(value, locale)
    return text


def _with_decimals(pattern: str, digits: int) -> str:
    return pattern.replace("##0", "##0." + "0" * digits) if digits else pattern


def _signed(value: float, text: str, *, sign: bool) -> str:
    if not any(character.isdigit() and character != "0" for character in text):
        return text  # what rounds to zero has no direction
    if value < 0:
        return MINUS + text
    return "+" + text if sign else text


def age(since: datetime, now: datetime, locale: Locale = DEFAULT) -> str:
    """Return how long ago `since` was, in its largest unit: "3 hours", "2 days"."""
    return format_timedelta(now - since, granularity="second", threshold=1, locale=locale)


def label(identifier: str, kind: str) -> str:
    """Return an id as a short name: of a UUID its kind and first digits, "Participant 3fa8"; any other as it is."""
    return f"{kind} {identifier[:4]}" if UUID_FORM.fullmatch(identifier) else identifier


def spelled(identifier: str, kind: str) -> str:
    """Return an id as words: "weekly_active-users" is "Weekly active users"; a UUID as `label` shows it."""
    words = label(identifier, kind).replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


@pass_context
def _moment(context: Context, value: datetime, style: str = "full") -> Markup:
    return moment(value, context["reader"], style)


@pass_context
def _day(context: Context, value: date, style: str = "medium") -> Markup:
    return day(value, context["reader"], style)


@pass_context
def _number(context: Context, value: float, digits: int | None = None, *, sign: bool = False) -> str:
    return number(value, context["reader"].locale, digits, sign=sign)


@pass_context
def _figure(context: Context, value: float, *beside: float, sign: bool = False) -> str:
    return figure(value, context["reader"].locale, *beside, sign=sign)


@pass_context
def _percent(context: Context, share: float, digits: int = 0, *, sign: bool = False) -> str:
    return percent(share, context["reader"].locale, digits, sign=sign)


@pass_context
def _age(context: Context, since: datetime, now: datetime) -> str:
    return age(since, now, context["reader"].locale)


FILTERS: dict[str, Any] = {
    "moment": _moment,
    "day": _day,
    "number": _number,
    "figure": _figure,
    "percent": _percent,
    "age": _age,
    "label": label,
    "spelled": spelled,
}
