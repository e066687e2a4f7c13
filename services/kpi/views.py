"""What the pages show, put together from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from babel import Locale
from markupsafe import Markup

from services.kpi import words
from services.kpi.effects import Impact, Path, ask
from services.kpi.effects import answer as answer_to
from services.kpi.impact import NotYet, Verdict
from services.kpi.kpis import Kpi, Measurement, Release
from services.kpi.store import features, impacts, kpis, measurements
from services.kpi.store.impacts import Assessed
from shared.runtime import Transaction
from shared.ui.charts import PHONE, Expected, Size, line_chart, sparkline
from shared.ui.charts import Release as Mark

MOST_KPIS = 500
MOST_RELEASES = 200
SPARK = 52  # periods
SHOWN, BEFORE_SHOWN = 120, 60  # periods in a chart; of them at least so many before the release
BESIDE_FACTS = Size(600, 300, "wide")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a KPI stands, in words; None where there is nothing to say."""

    value: str | None = None
    change: str | None = None
    goal: str | None = None
    progress: float | None = None
    """Share of the way to the objective, within 0..1."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a release did to a KPI, in words; without a verdict where it is too early."""

    kpi: Kpi
    sentence: str
    verdict: Verdict | None = None
    short: str | None = None

    @property
    def badge(self) -> str:
        return words.VERDICTS[self.verdict] if self.verdict else "Not yet"

    @property
    def tone(self) -> str:
        return words.TONES[self.verdict] if self.verdict else "neutral"


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One KPI on the board."""

    kpi: Kpi
    standing: Standing
    spark: Markup
    effect: Effect | None
    release: str | None


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release among all, with what it did to each of its KPIs."""

    release: Release
    asked_for: str
    effects: list[Effect]


@dataclass(frozen=True, slots=True)
class Released:
    """One release on a KPI's page, with its number in the chart."""

    mark: str
    release: Release
    effect: Effect
    asked_for: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table beneath the chart."""

    measured: Measurement
    value: str
    expected: str | None


@dataclass(frozen=True, slots=True)
class KpiView:
    """Everything on a KPI's page."""

    kpi: Kpi
    standing: Standing
    released: list[Released]
    chosen: Released | None
    assessed: Assessed | None
    """What the chart's dashed line comes from: the assessment of the chosen release."""
    charts: list[Markup]
    lines: list[Line]


async def board(tx: Transaction, locale: Locale) -> list[BoardRow]:
    """All KPIs, by name."""
    known = await kpis.list_all(tx.connection, MOST_KPIS)
    ids = [kpi.kpi_id for kpi in known]
    measured = await measurements.latest_of_each(tx.connection, ids, SPARK)
    latest = await impacts.latest_of_each(tx.connection, ids)
    titles = await features.titles(tx.connection, [assessed.feature_id for assessed in latest.values()])
    rows = []
    for kpi in known:
        series, assessed = measured.get(kpi.kpi_id, []), latest.get(kpi.kpi_id)
        title = titles[assessed.feature_id] if assessed else None
        rows.append(
            BoardRow(
                kpi=kpi,
                standing=_standing(kpi, series, locale),
                spark=sparkline([one.value for one in series]),
                effect=_told(kpi, title, assessed.impact, locale) if assessed and title else None,
                release=title,
            )
        )
    return rows


async def releases(tx: Transaction, locale: Locale) -> list[ReleaseRow]:
    """All releases, latest first."""
    known = await features.releases(tx.connection, MOST_RELEASES)
    named = await kpis.find_all(tx.connection, sorted({kpi_id for release in known for kpi_id in release.kpi_ids}))
    holding = await impacts.list_holding(tx.connection, MOST_RELEASES * MOST_KPIS, [one.feature_id for one in known])
    found = {(assessed.feature_id, assessed.kpi_id): assessed.impact for assessed in holding}

    def effect(release: Release, kpi_id: str) -> Effect:
        kpi = named.get(kpi_id) or Kpi(kpi_id, release.released_at)
        impact = found.get((release.feature_id, kpi_id))
        return _told(kpi, release.title, impact, locale) if impact else Effect(kpi, "")

    return [
        ReleaseRow(one, words.asked_for(one.interviewees), [effect(one, kpi_id) for kpi_id in one.kpi_ids])
        for one in known
    ]


async def kpi_page(tx: Transaction, kpi: Kpi, chosen_id: str | None, locale: Locale) -> KpiView:
    """One KPI; `chosen_id` names the release to compare with, the latest assessed one by default."""
    series = await measurements.series(tx.connection, kpi.kpi_id)
    releases = await features.releases_of(tx.connection, kpi.kpi_id)
    known = await impacts.of_kpi(tx.connection, kpi.kpi_id)
    released = []
    for place, release in enumerate(releases):
        assessed = known.get(release.feature_id)
        effect = (
            _told(kpi, release.title, assessed.impact, locale)
            if assessed and assessed.holds
            else Effect(kpi, _missing(kpi, series, releases, place))
        )
        released.append(Released(str(place + 1), release, effect, words.asked_for(release.interviewees)))
    telling = [one for one in released if one.effect.verdict]
    chosen = next((one for one in telling if one.release.feature_id == chosen_id), telling[-1] if telling else None)
    comparison = known[chosen.release.feature_id] if chosen else None
    shown = _shown(series, comparison)
    finding = chosen.effect.sentence if chosen else f"{kpi.title}, {len(shown)} measurements"
    return KpiView(
        kpi=kpi,
        standing=_standing(kpi, series, locale),
        released=released,
        chosen=chosen,
        assessed=comparison,
        charts=_charts(kpi, shown, released, comparison, finding, locale) if len(shown) > 1 else [],
        lines=_lines(kpi, shown, comparison, locale),
    )


def _told(kpi: Kpi, title: str, impact: Impact, locale: Locale) -> Effect:
    short = words.amount(impact.effect, impact.unit, locale, sign=True)
    return Effect(kpi, words.effect(impact, kpi, title, locale), impact.verdict, short)


def _missing(kpi: Kpi, series: Sequence[Measurement], releases: Sequence[Release], place: int) -> str:
    """Why nothing can be said about a release, and until when."""
    released_at = releases[place].released_at
    answer = answer_to(ask(kpi, series, released_at, [one.released_at for one in releases]))
    followed_by = next((one.title for one in releases[place + 1 :] if one.released_at > released_at), None)
    if isinstance(answer, NotYet):
        return words.waiting(answer, followed_by)
    return "It will be assessed with the next measurement."


def _standing(kpi: Kpi, series: Sequence[Measurement], locale: Locale) -> Standing:
    objective = kpi.objective
    goal = words.goal(objective, kpi.unit, locale) if objective else None
    if not series:
        return Standing(goal=goal)
    value = series[-1].value
    done = objective.progress(value) if objective else None
    return Standing(
        value=words.level(value, kpi.unit, locale),
        change=words.change(value - series[-2].value, kpi.unit, locale) if len(series) > 1 else None,
        goal=goal,
        progress=None if done is None else min(max(done, 0.0), 1.0),
    )


def _shown(series: Sequence[Measurement], assessed: Assessed | None) -> Sequence[Measurement]:
    """The latest measurements, reaching back far enough to see what was before the release."""
    after = sum(one.period_start >= assessed.impact.released_at for one in series) if assessed else 0
    return series[-max(SHOWN, after + BEFORE_SHOWN) :]


def _charts(
    kpi: Kpi,
    shown: Sequence[Measurement],
    released: Sequence[Released],
    assessed: Assessed | None,
    finding: str,
    locale: Locale,
) -> list[Markup]:
    days = [one.period_start.date() for one in shown]
    moments = [(one.release.released_at.date(), one.mark) for one in released]
    marks = [Mark(day, mark) for day, mark in moments if days[0] <= day <= days[-1]]
    expected = None
    if assessed:
        path = _by_start(assessed.path)
        found = [path.get(one.period_start, (None, None, None)) for one in shown]
        expected = Expected(*([one[place] for one in found] for place in range(3)))
    return [
        line_chart(
            days,
            [one.value for one in shown],
            finding=finding,
            expected=expected,
            releases=marks,
            unit=kpi.unit or "",
            size=size,
            locale=locale,
        )
        for size in (BESIDE_FACTS, PHONE)
    ]


def _lines(kpi: Kpi, shown: Sequence[Measurement], assessed: Assessed | None, locale: Locale) -> list[Line]:
    path = _by_start(assessed.path) if assessed else {}
    return [
        Line(
            measured=one,
            value=words.level(one.value, kpi.unit, locale),
            expected=words.level(path[one.period_start][0], kpi.unit, locale) if one.period_start in path else None,
        )
        for one in reversed(shown)
    ]


def _by_start(path: Path) -> dict[datetime, tuple[float, float, float]]:
    values = zip(path.expected, path.low, path.high, strict=True)
    return dict(zip(path.starts, values, strict=True))
