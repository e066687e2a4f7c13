"""Charts: numbers to SVG."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from shared.ui.charts import PHONE, Expected, Release, line_chart, sparkline, ticks

DAYS = [date(2026, 11, 1) + timedelta(days=index) for index in range(5)]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (41.3, 44.8, [41, 42, 43, 44, 45]),
        (-0.013, 0.021, [-0.02, -0.01, 0, 0.01, 0.02, 0.03]),
        (7, 7, [6, 8]),
        (0, 0, [0, 0.2]),
    ],
)
def test_ticks_are_round_and_enclose(low: float, high: float, expected: list[float]) -> None:
    """Axis values are round, evenly spaced and enclose the data, even when it does not vary."""
    assert ticks(low, high) == expected


def test_a_sparkline_ends_in_a_dot() -> None:
    """A sparkline is one path from the left to its last value, hidden from screen readers."""
    assert sparkline([1, 3, 2]) == (
        '<svg class="sparkline" viewBox="0 0 128 32" aria-hidden="true">'
        '<path class="line" d="M2.0 29.0L63.0 3.0L124.0 16.0"></path>'
        '<circle cx="124.0" cy="16.0" r="2.5"></circle></svg>'
    )


@pytest.mark.parametrize("values", [[], [4], [None, 4, None]])
def test_a_sparkline_needs_two_values(values: list[float | None]) -> None:
    """With fewer than two values there is no line to draw."""
    assert sparkline(values) == '<svg class="sparkline" viewBox="0 0 128 32" aria-hidden="true"></svg>'


def test_a_line_chart_says_what_it_shows() -> None:
    """The finding is the chart's name, the axes its description, and foreign text is escaped."""
    chart = line_chart(DAYS, [1, 2, 3, 4, 5], finding='Up by "4" <points>', unit="%")
    assert 'role="img" aria-label="Up by &#34;4&#34; &lt;points&gt;"' in chart
    assert "<desc>measured, 1 Nov 2026 to 5 Nov 2026; the axis runs from 1 to 5 %</desc>" in chart
    assert re.findall(r'<text class="y"[^>]*>([^<]*)', chart) == ["1%", "2%", "3%", "4%", "5%"]
    assert re.findall(r'<text class="middle"[^>]*>([^<]*)', chart) == ["1 Nov", "2 Nov", "3 Nov", "4 Nov", "5 Nov"]


def test_a_gap_in_the_measurements_is_a_gap_in_the_line() -> None:
    """A day without a value is not bridged."""
    chart = line_chart(DAYS, [1, 2, None, 2, 1], finding="A gap")
    path = re.search(r'class="measured" d="([^"]*)"', chart)
    assert path is not None
    assert path[1].count("M") == 2


def test_what_was_expected_is_a_dashed_line_in_a_band() -> None:
    """The counterfactual has its own line, a closed band, and its name stays clear of the measured one."""
    expected = Expected([None, None, 1, 1, 1], [None, None, 0, 0, 0], [None, None, 2, 2, 2])
    chart = line_chart(DAYS, [1, 1, 1, 1, 1], finding="No change", expected=expected, size=PHONE)
    band = re.search(r'class="band" d="([^"]*)"', chart)
    assert band is not None
    assert (band[1].count("L"), band[1][-1]) == (5, "Z")
    heights = [float(y) for y in re.findall(r'<text class="series[^"]*" x="[^"]*" y="([^"]*)"', chart)]
    assert heights[1] - heights[0] == 16


def test_releases_are_marked_above_the_plot() -> None:
    """A release is a rule through the plot with its mark in the strip above, where no line can cross it."""
    chart = line_chart(DAYS, [1, 2, 3, 4, 5], finding="Up", releases=[Release(date(2026, 11, 3), "1")])
    assert re.findall(r'<text class="mark middle" x="[^"]*" y="([^"]*)">([^<]*)', chart) == [("14", "1")]
    assert chart.count('class="release"') == 1


def test_lists_of_different_lengths_are_refused() -> None:
    """Every list needs a value for each day."""
    with pytest.raises(ValueError, match="5 days need as many values, not 2"):
        line_chart(DAYS, [1, 2], finding="Short")


def test_an_empty_chart_is_refused() -> None:
    """Where nothing was measured a page shows an empty state, not an empty frame."""
    with pytest.raises(ValueError, match="nothing was measured"):
        line_chart(DAYS, [None] * 5, finding="Nothing")
