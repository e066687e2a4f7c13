"""What is known about KPIs and releases, in sentences."""

from __future__ import annotations

from babel import Locale
from babel.dates import format_date

from services.kpi.effects import Impact
from services.kpi.impact import NotYet
from services.kpi.kpis import Kpi, Objective
from shared.ui.formats import figure, number

VERDICTS = {
    "improved": "Improved",
    "worsened": "Worsened",
    "no_visible_change": "No visible change",
    "cannot_tell": "Cannot tell",
}
TONES = {"improved": "good", "worsened": "bad", "no_visible_change": "info", "cannot_tell": "warn"}


def amount(value: float, unit: str | None, locale: Locale, *, sign: bool = False) -> str:
    """A difference with its unit; differences of percentages are points."""
    text = figure(value, locale, value, sign=sign)
    return f"{text} {'points' if unit == '%' else unit}" if unit else text


def level(value: float, unit: str | None, locale: Locale) -> str:
    """A KPI's value with its unit."""
    return _with_unit(figure(value, locale), unit)


def change(difference: float, unit: str | None, locale: Locale) -> str:
    """How the last period differs from the one before it."""
    return (
        "As the period before"
        if difference == 0
        else f"{amount(difference, unit, locale, sign=True)} on the period before"
    )


def goal(objective: Objective, unit: str | None, locale: Locale) -> str:
    """What is to be reached, and by when."""
    baseline, target = (_with_unit(number(one, locale), unit) for one in (objective.baseline, objective.target))
    text = f"From {baseline} to {target}"
    return f"{text} by {format_date(objective.by, 'medium', locale=locale)}" if objective.by else text


def effect(impact: Impact, kpi: Kpi, title: str, locale: Locale) -> str:
    """The verdict, the effect and its interval, in one sentence about the release called `title`."""
    size = amount(abs(impact.effect), impact.unit, locale)
    interval = f"95% interval {_interval(impact, locale)}"
    visible = amount(impact.smallest_visible, impact.unit, locale)
    if impact.verdict in ("improved", "worsened"):
        moved = "rose" if impact.effect > 0 else "fell"
        return f"{kpi.title} {moved} by {size} after “{title}” ({interval})."
    if impact.verdict == "no_visible_change":
        return f"No visible change in {kpi.title} after “{title}” ({interval}); {visible} or more would have shown."
    return (
        f"Cannot tell whether “{title}” moved {kpi.title} ({interval}): "
        f"only a change of {visible} or more would have shown."
    )


def waiting(missing: NotYet, followed_by: str | None) -> str:
    """What is missing before anything can be said about a release."""
    if missing.more_after and followed_by:
        return f"“{followed_by}” came too soon after it: their effects cannot be told apart."
    return str(missing)


def asked_for(people: int) -> str:
    if people == 0:
        return "Nobody asked for it in an interview."
    return "Asked for by one interviewee." if people == 1 else f"Asked for by {people} interviewees."


def _with_unit(text: str, unit: str | None) -> str:
    return f"{text}%" if unit == "%" else f"{text} {unit}" if unit else text


def _interval(impact: Impact, locale: Locale) -> str:
    low = figure(impact.low, locale, impact.high, sign=True)
    high = figure(impact.high, locale, impact.low, sign=True)
    return f"{low} to {high}"
