"""The colours keep their contrast."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shared.ui

CSS = (Path(shared.ui.__file__).parent / "css" / "tokens.css").read_text()
PAIRS = dict(re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)", CSS))
GROUNDS = ("page", "surface", "sunken")


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str, theme: int) -> float:
    """Contrast ratio of two tokens in a theme (0 light, 1 dark), rounded to a tenth."""
    low, high = sorted(luminance(PAIRS[name].split(", ")[theme]) for name in (one, other))
    return round((high + 0.05) / (low + 0.05), 1)


@pytest.mark.parametrize(
    ("token", "light", "dark"),
    [
        ("ink", 14.7, 14.4),
        ("mute", 5.7, 7.5),
        ("accent", 5.8, 8.9),
        ("good", 5.8, 9.3),
        ("warn", 6.1, 9.6),
        ("bad", 5.8, 8.4),
        ("info", 5.7, 8.3),
        ("field", 3.4, 4.8),
        ("focus", 6.0, 8.2),
    ],
)
def test_contrast_on_every_ground(token: str, light: float, dark: float) -> None:
    """Text has at least 4.5 and controls at least 3 on page, surface and sunken, in both themes."""
    assert [min(contrast(token, ground, theme) for ground in GROUNDS) for theme in (0, 1)] == [light, dark]


@pytest.mark.parametrize(
    ("token", "ground", "light", "dark"),
    [
        ("on-accent", "accent", 6.5, 8.6),
        ("on-accent", "accent-hover", 8.7, 10.4),
        ("accent", "accent-soft", 5.5, 7.1),
        ("good", "good-soft", 5.6, 7.7),
        ("warn", "warn-soft", 6.0, 7.9),
        ("bad", "bad-soft", 5.5, 7.5),
        ("info", "info-soft", 5.5, 7.1),
        ("on-q-low", "q4", 5.0, 4.8),
        ("on-q-high", "q5", 5.0, 6.0),
    ],
)
def test_contrast_on_its_own_ground(token: str, ground: str, light: float, dark: float) -> None:
    """Text on a filled or tinted ground has at least 4.5 in both themes."""
    assert [contrast(token, ground, theme) for theme in (0, 1)] == [light, dark]
