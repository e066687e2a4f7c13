"""Dates, numbers and ages as a reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from starlette.requests import Request

from shared.ui import formats
from shared.ui.formats import Reader

MOMENT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BERLIN = Reader(Locale("en", "GB"), ZoneInfo("Europe/Berlin"))
NEW_YORK = Reader(Locale("en", "US"), ZoneInfo("America/New_York"))


def asked(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": pairs, "query_string": b""})


@pytest.mark.parametrize(
    ("reader", "style", "markup"),
    [
        (BERLIN, "full", '<time datetime="2026-11-23T09:30:00Z">Mon, 23 Nov 2026, 10:30 CET</time>'),
        (BERLIN, "short", '<time datetime="2026-11-23T09:30:00Z">23 Nov, 10:30</time>'),
        (BERLIN, "clock", '<time datetime="2026-11-23T09:30:00Z">10:30</time>'),
        (NEW_YORK, "clock", '<time datetime="2026-11-23T09:30:00Z">4:30\N{NARROW NO-BREAK SPACE}AM</time>'),
    ],
)
def test_a_moment_is_shown_in_the_readers_zone(reader: Reader, style: str, markup: str) -> None:
    """A UTC moment is shown on the reader's clock, the zone is named, and machines still read UTC."""
    assert formats.moment(MOMENT, reader, style) == markup


def test_a_moment_without_a_zone_is_refused() -> None:
    """A datetime without a zone could be any moment and is refused."""
    with pytest.raises(ValueError, match="has no time zone"):
        formats.moment(MOMENT.replace(tzinfo=None), BERLIN)


def test_a_day_is_shown_without_a_zone() -> None:
    """A calendar day is the same day everywhere."""
    assert formats.day(date(2026, 11, 23), BERLIN) == '<time datetime="2026-11-23">23 Nov 2026</time>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.number(12840.5), "12,840.5"),
        (formats.number(12840.5, Locale("de")), "12.840,5"),
        (formats.number(-2.14, digits=1, sign=True), "−2.1"),
        (formats.number(2.14, digits=1, sign=True), "+2.1"),
        (formats.number(-0.04, digits=1, sign=True), "0.0"),
        (formats.percent(0.427), "43%"),
        (formats.percent(0.427, digits=1), "42.7%"),
        (formats.percent(-0.05, sign=True), "−5%"),
        (formats.percent(0.427, Locale("de")), "43\N{NO-BREAK SPACE}%"),
        (formats.age(MOMENT - timedelta(hours=3), MOMENT), "3 hours"),
        (formats.age(MOMENT - timedelta(days=2, hours=5), MOMENT), "2 days"),
    ],
)
def test_numbers_and_ages(text: str, expected: str) -> None:
    """Numbers follow the locale, changes carry a true minus, and nothing is called −0."""
    assert text == expected


@pytest.mark.parametrize(
    ("identifier", "label", "spelled"),
    [
        ("3fa85f64-5717-4562-b3fc-2c963f66afa6", "KPI 3fa8", "KPI 3fa8"),
        ("weekly_active-users", "weekly_active-users", "Weekly active users"),
        ("NPS", "NPS", "NPS"),
    ],
)
def test_an_id_as_people_read_it(identifier: str, label: str, spelled: str) -> None:
    """A UUID is told by its first digits; any other id stays, or becomes words where it stands for a name."""
    assert (formats.label(identifier, "KPI"), formats.spelled(identifier, "KPI")) == (label, spelled)


@pytest.mark.parametrize(
    ("headers", "locale", "zone"),
    [
        ({}, "en_GB", "UTC"),
        ({"accept_language": "fr-FR, en-US;q=0.7"}, "en_US", "UTC"),
        ({"accept_language": "*, x-!", "cookie": "zone=Europe%2FBerlin"}, "en_GB", "Europe/Berlin"),
        ({"cookie": "zone=../../etc/passwd"}, "en_GB", "UTC"),
        ({"cookie": "zone=Nowhere%2FCity"}, "en_GB", "UTC"),
    ],
)
def test_the_reader_comes_from_the_request(headers: dict[str, str], locale: str, zone: str) -> None:
    """Locale and zone come from the request, and nonsense there falls back without an error."""
    reader = formats.reader_of(asked(**headers))
    assert (str(reader.locale), reader.zone.key) == (locale, zone)
