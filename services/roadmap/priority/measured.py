"""Measured RICE: an idea's priority from who supports it, weighted to the whole customer base, term by term.

    share      = sum over cells of  pi_h (k_h + a_h p0) / (m_h + a_h)
    reach      = N * lower end of the 90% Wilson interval of share at n_eff
    impact     = (sum of latest importance + 3 * default) / (people who said one + 3)
    kpi factor = 1 + 0.5 * gap of the linked KPI to its target
    score      = reach * impact * kpi factor / effort

pi_h is the cell's share of all customers, m_h the people active in it, k_h those who support the idea, p0 the mean
support over all ideas and a_h pseudo-participants that keep thin cells from shouting. An `Audience` is built once for
all ideas; one idea then costs O(cells).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.roadmap.priority.audience import DEFAULTS, UNKNOWN_CELL, Audience, Cell, Settings
from services.roadmap.priority.scoring import DEFAULT_IMPORTANCE, wilson_interval

FORMULA_VERSION = "measured-rice-1"
EFFORT_FLOOR = 0.25
"""Person-weeks. Below a day or so estimates differ by their noise alone, and a zero would win every ranking."""


@dataclass(frozen=True, slots=True)
class Idea:
    """One idea's counts. `supporters` are distinct people per cell, after merging duplicates.

    Importance is the sum of each person's latest word (0..3) and how many said one. `kpi_gap` is 0 without a linked
    KPI; `effort_weeks` is None until somebody estimated it.
    """

    supporters: Mapping[str, int]
    importance_sum: float = 0.0
    importance_people: int = 0
    default_impact: float = DEFAULT_IMPORTANCE
    kpi_gap: float = 0.0
    effort_weeks: float | None = None


@dataclass(frozen=True, slots=True)
class CellRow:
    """One line of the explanation; the contributions of all lines add up to the share."""

    cell: str
    supporters: int
    active: int
    population_share: float
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Priority:
    """An idea's score with every term that made it.

    `share` and `interval` are parts of the customer base (0..1); `conservative_reach` counts customers; `effort_weeks`
    is what was divided by, `effort_assumed` says nobody had estimated it.
    """

    score: float
    raw_votes: int
    rows: tuple[CellRow, ...]
    share: float
    interval: tuple[float, float]
    n_eff: float
    population: float
    covered_share: float
    weighted: bool
    conservative_reach: float
    impact: float
    kpi_factor: float
    effort_weeks: float
    effort_assumed: bool
    mean_support: float
    formula_version: str = FORMULA_VERSION


def mean_support(supporters: int, ideas: int, active: int) -> float:
    """Mean over ideas of supporters / active people (p0), 0..1: what a cell nobody speaks for is assumed to think.

    `supporters` adds up those of all ideas, of each at most as many as are active: an idea can for a moment have more.
    """
    return supporters / (active * ideas) if active > 0 and ideas > 0 else 0.0


def kpi_gap(baseline: float, current: float, target: float) -> float:
    """How much of the way from baseline to target is still to go, 0..1, whether the target lies above or below.

    0 when the target is the baseline: there is nothing to gain.
    """
    if target == baseline:
        return 0.0
    return min(1.0, max(0.0, (target - current) / (target - baseline)))


def prioritise(idea: Idea, everybody: Audience, p0: float, settings: Settings = DEFAULTS) -> Priority:
    """Score one idea; `p0` is the `mean_support` of all ideas on the same board.

    Always finite: without active people the share is 0, without an effort estimate one is assumed, and effort never
    counts as less than EFFORT_FLOOR.
    """
    return _prioritise(idea, everybody, p0, settings, _quiet(everybody, p0))


def prioritise_all(
    ideas: Iterable[Idea], everybody: Audience, p0: float, settings: Settings = DEFAULTS
) -> list[Priority]:
    """Score many ideas before the same audience, each as `prioritise` does."""
    quiet = _quiet(everybody, p0)
    return [_prioritise(idea, everybody, p0, settings, quiet) for idea in ideas]


def _prioritise(idea: Idea, everybody: Audience, p0: float, settings: Settings, quiet: _Quiet) -> Priority:
    rows = _rows(idea, everybody, p0, quiet)
    share = 0.0
    for row in rows:  # not `sum`, which rounds in its own way from Python 3.12 on; `Board.terms` adds up as this does
        share += row.contribution
    interval = wilson_interval(share, everybody.n_eff, settings.confidence)
    reach = everybody.population * interval[0]
    prior = settings.importance_prior_people
    impact = (idea.importance_sum + prior * idea.default_impact) / (idea.importance_people + prior)
    kpi_factor = 1.0 + settings.kpi_weight * min(1.0, max(0.0, idea.kpi_gap))
    estimate = settings.assumed_effort_weeks if idea.effort_weeks is None else idea.effort_weeks
    effort = max(EFFORT_FLOOR, estimate)
    return Priority(
        score=reach * impact * kpi_factor / effort,
        raw_votes=sum(idea.supporters.values()),
        rows=rows,
        share=share,
        interval=interval,
        n_eff=everybody.n_eff,
        population=everybody.population,
        covered_share=everybody.covered_share,
        weighted=everybody.weighted,
        conservative_reach=reach,
        impact=impact,
        kpi_factor=kpi_factor,
        effort_weeks=effort,
        effort_assumed=idea.effort_weeks is None,
        mean_support=p0,
    )


@dataclass(frozen=True, slots=True)
class _Quiet:
    """The lines of an idea nobody supports, in the cells' order, and where each cell stands."""

    rows: tuple[CellRow, ...]
    places: Mapping[str, int]


def _quiet(everybody: Audience, p0: float) -> _Quiet:
    names = sorted(everybody.cells)
    rows = tuple(_row(name, 0, everybody.cells[name], p0) for name in names)
    return _Quiet(rows, {name: place for place, name in enumerate(names)})


def _rows(idea: Idea, everybody: Audience, p0: float, quiet: _Quiet) -> tuple[CellRow, ...]:
    """Only the cells with supporters are reckoned anew, so many cells cost an idea next to nothing."""
    rows, strangers = list(quiet.rows), []
    for name, supporters in _by_stratum(idea.supporters, everybody).items():
        if (place := quiet.places.get(name)) is None:
            strangers.append(_row(name, supporters, UNKNOWN_CELL, p0))
        else:
            rows[place] = _row(name, supporters, everybody.cells[name], p0)
    return tuple(sorted(rows + strangers, key=lambda row: row.cell) if strangers else rows)


def _by_stratum(supporters: Mapping[str, int], everybody: Audience) -> Mapping[str, int]:
    if not everybody.strata:
        return supporters
    totals: dict[str, int] = {}
    for cell, people in supporters.items():
        name = everybody.strata.get(cell, cell)
        totals[name] = totals.get(name, 0) + people
    return totals


def _row(name: str, supporters: int, cell: Cell, p0: float) -> CellRow:
    people = cell.active + cell.pseudo_participants
    # A vote can be counted a moment before its voter is counted as active: never more supporters than people.
    support = min(supporters, cell.active) + cell.pseudo_participants * p0
    contribution = cell.population_share * support / people if people > 0 else 0.0
    return CellRow(name, supporters, cell.active, cell.population_share, cell.weight, contribution)
