"""Charts as SVG, drawn on the server: pure functions from numbers to markup.

They use classes only, so the theme, a print and the content security policy apply to them like to the rest of a page.
A chart says what it shows in `aria-label`; the same numbers as a table and as a file stand beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from babel.dates import format_skeleton
from markupsafe import Markup

from shared.ui.formats import number
from shared.ui.words import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from babel import Locale

Value = float | None  # None where nothing was measured


@dataclass(frozen=True, slots=True)
class Expected:
    """What would have been measured without the release: one value and one interval for each day of the chart."""

    values: Sequence[Value]
    low: Sequence[Value]
    high: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Release:
    """A day that changed the product; its mark is a short label above the plot, such as its number in a list."""

    day: date
    mark: str


@dataclass(frozen=True, slots=True)
class Size:
    """The drawing's width and height in CSS pixels and the class that decides where it is shown."""

    width: int
    height: int
    name: str


WIDE = Size(840, 340, "wide")
PHONE = Size(372, 300, "phone")
STRIP, FOOT, GUTTER, END = 24, 28, 8, 76  # pixels: marks above, dates below, beside the y labels, labels of series
DIGIT = 7.2  # pixels a digit of a tick label takes


def sparkline(values: Sequence[Value]) -> Markup:
    """Return a small line without axes, a dot on its last value; the value itself stands beside it as text.

    Fewer than two values give an empty drawing.
    """
    width, height = 128, 32
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    drawing = {"class": "sparkline", "viewBox": f"0 0 {width} {height}", "aria-hidden": "true"}
    if len(known) < 2:  # noqa: PLR2004 - one point is no line
        return _element("svg", drawing)
    low, high = min(value for _, value in known), max(value for _, value in known)
    spread = (high - low) or 1.0
    points = [
        (2 + index * (width - 6) / (len(values) - 1), height - 3 - (value - low) * (height - 6) / spread)
        for index, value in known
    ]
    x, y = points[-1]
    return _element("svg", drawing, _curve("line", _path(points)), _element("circle", {"cx": x, "cy": y, "r": 2.5}))


def line_chart(
    days: Sequence[date],
    measured: Sequence[Value],
    *,
    finding: str,
    expected: Expected | None = None,
    releases: Sequence[Release] = (),
    unit: str = "",
    labels: tuple[str, str] = ("measured", "expected"),
    size: Size = WIDE,
    locale: Locale = DEFAULT,
) -> Markup:
    """Return the chart of one measure over days, in order, with what was expected without the releases.

    `finding` is the sentence a reader of the page hears. `measured` and each list of `expected` have a value for each
    day. Raises ValueError when lengths differ or nothing was measured.
    """
    lines = [measured, *((expected.values, expected.low, expected.high) if expected else ())]
    if any(len(line) != len(days) for line in lines):
        raise ValueError(f"{len(days)} days need as many values, not {', '.join(str(len(line)) for line in lines)}")
    if not any(value is not None for value in measured):
        raise ValueError("nothing was measured on these days; show an empty state instead of a chart")
    plot = _Plot.around([value for line in lines for value in line if value is not None], days, size, unit, locale)
    parts = [*plot.y_axis(unit, locale), *plot.x_axis(locale), *plot.releases(releases)]
    if expected:
        band = plot.points(expected.high) + plot.points(expected.low)[::-1]
        parts += [_curve("band", _path(band) + "Z"), plot.line("expected", expected.values)]
    parts += [plot.line("measured", measured), *plot.series(measured, expected, labels)]
    first, last = (format_skeleton("yMMMd", day, locale=locale) for day in (days[0], days[-1]))
    about = f"{labels[0]}, {first} to {last}; the axis runs from {plot.ticks[0]:g} to {plot.ticks[-1]:g} {unit}".strip()
    drawing = {"class": f"chart {size.name}", "viewBox": f"0 0 {size.width} {size.height}", "role": "img"}
    return _element("svg", {**drawing, "aria-label": finding}, _element("desc", {}, about), *parts)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values, evenly spaced, that enclose `low` to `high`: about `about` of them."""
    spread = (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(spread / about))
    step = next(step * factor for factor in (1, 2, 5, 10) if spread / (step * factor) <= about)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(index * step, 10) for index in range(first, max(last, first + 1) + 1)]


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where days and values lie in the drawing."""

    days: Sequence[date]
    ticks: list[float]
    left: float
    right: float
    bottom: float

    @classmethod
    def around(cls, values: list[float], days: Sequence[date], size: Size, unit: str, locale: Locale) -> _Plot:
        marks = ticks(min(values), max(values))
        longest = max(len(_tick(mark, marks, unit, locale)) for mark in marks)
        return cls(days, marks, longest * DIGIT + GUTTER, size.width - END, size.height - FOOT)

    def x(self, day: date) -> float:
        span = (self.days[-1] - self.days[0]).days or 1
        return self.left + (day - self.days[0]).days * (self.right - self.left) / span

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (value - low) * (self.bottom - STRIP) / (high - low)

    def points(self, values: Sequence[Value]) -> list[tuple[float, float]]:
        pairs = zip(self.days, values, strict=True)
        return [(self.x(day), self.y(value)) for day, value in pairs if value is not None]

    def line(self, name: str, values: Sequence[Value]) -> Markup:
        """Return one path; a gap in the values is a gap in the line."""
        runs: list[list[tuple[float, float]]] = [[]]
        for day, value in zip(self.days, values, strict=True):
            if value is None:
                runs.append([])
            else:
                runs[-1].append((self.x(day), self.y(value)))
        return _curve(name, "".join(_path(run) for run in runs if run))

    def y_axis(self, unit: str, locale: Locale) -> Iterator[Markup]:
        for mark in self.ticks:
            y = self.y(mark)
            yield _rule("grid", (self.left, y), (self.right, y))
            yield _text("y", self.left - GUTTER, y + 4, _tick(mark, self.ticks, unit, locale))

    def x_axis(self, locale: Locale) -> Iterator[Markup]:
        span = (self.days[-1] - self.days[0]).days
        count = min(span, int((self.right - self.left) // 120)) or 1
        for index in range(count + 1):
            day = self.days[0] + timedelta(days=round(index * span / count))
            x = self.x(day)
            yield _rule("axis", (x, self.bottom), (x, self.bottom + 5))
            yield _text("middle", x, self.bottom + 20, format_skeleton("MMMd", day, locale=locale))

    def releases(self, releases: Sequence[Release]) -> Iterator[Markup]:
        for release in releases:
            x = self.x(release.day)
            yield _rule("release", (x, STRIP - 4), (x, self.bottom))
            yield _text("mark middle", x, STRIP - 10, release.mark)

    def series(self, measured: Sequence[Value], expected: Expected | None, labels: tuple[str, str]) -> Iterator[Markup]:
        """Name the lines at their ends, a line's height apart when they meet."""
        x, y = self.points(measured)[-1]
        yield _element("circle", {"class": "point", "cx": x, "cy": y, "r": 3})
        yield _text("series", x + GUTTER, y + 4, labels[0])
        if expected and (points := self.points(expected.values)):
            x, other = points[-1]
            apart = max(other, y + 16) if other >= y else min(other, y - 16)
            yield _text("series of-expected", x + GUTTER, apart + 4, labels[1])


def _element(name: str, attributes: Mapping[str, object], *content: str) -> Markup:
    """Return one element; every value and every text that is not markup is escaped."""
    shown = {key: f"{value:.1f}" if isinstance(value, float) else value for key, value in attributes.items()}
    listed = Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in shown.items())
    return Markup("<{0}{1}>{2}</{0}>").format(name, listed, Markup("").join(content))


def _text(name: str, x: float, y: float, text: str) -> Markup:
    return _element("text", {"class": name, "x": x, "y": y}, text)


def _rule(name: str, start: tuple[float, float], end: tuple[float, float]) -> Markup:
    return _element("line", {"class": name, "x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]})


def _curve(name: str, path: str) -> Markup:
    return _element("path", {"class": name, "d": path})


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _tick(value: float, marks: list[float], unit: str, locale: Locale) -> str:
    decimals = max(len(f"{mark:.10f}".rstrip("0").partition(".")[2]) for mark in marks)
    text = number(value, locale, decimals)
    return f"{text}{unit}" if unit == "%" else text
