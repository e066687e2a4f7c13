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

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.roadmap.scoring import DEFAULT_IMPORTANCE, wilson_interval
from services.roadmap.weighting import effective_sample_size

FORMULA_VERSION = "measured-rice-1"
EFFORT_FLOOR = 0.25
"""Person-weeks. Below a day or so estimates differ by their noise alone, and a zero would win every ranking."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a product team may tune. The defaults are what `measured-rice-1` stands for."""

    pseudo_participants: float = 1.0
    confidence: float = 0.90
    importance_prior_people: float = 3.0
    kpi_weight: float = 0.5
    assumed_effort_weeks: float = 1.0


DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of segments: people active in it, its share of the customer base, the weight of each person."""

    active: int
    population_share: float
    weight: float
    pseudo_participants: float


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who took part, seen against the customer base: the same for all ideas.

    `weighted` is False when the customer base is unknown: each person then counts once and `population` is the number
    of active people. `covered_share` is the part of the customer base in cells where somebody is active; `n_eff` how
    many unweighted answers the active people are worth.
    """

    cells: Mapping[str, Cell]
    population: float
    active: int
    n_eff: float
    covered_share: float
    weighted: bool


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


def audience(
    active: Mapping[str, int], population: Mapping[str, float] | None = None, settings: Settings = DEFAULTS
) -> Audience:
    """Weigh the distinct active people per cell against the customers per cell (counts), if those are known.

    People in cells the population does not name weigh 0; cells nobody is active in keep their population share, of
    which nothing but the mean support is assumed. A population that adds up to 0 is the same as none. Weights are not
    trimmed: the margins would no longer hold, and `n_eff` is there to show what large weights cost.
    """
    people = sum(active.values())
    size = math.fsum(population.values()) if population else 0.0
    if not population or size <= 0:
        return _unweighted(active, people, settings)
    placed = sum(active.get(cell, 0) for cell in population)
    cells = {}
    for name in sorted({**population, **active}):  # one order, so that replayed events give the same bits
        here, share = active.get(name, 0), population.get(name, 0.0) / size
        weight = share * placed / here if here > 0 else 0.0
        cells[name] = Cell(here, share, weight, settings.pseudo_participants)
    counted = list(cells.values())
    return Audience(
        cells=cells,
        population=size,
        active=people,
        n_eff=effective_sample_size([cell.weight for cell in counted], [cell.active for cell in counted]),
        covered_share=min(1.0, math.fsum(cell.population_share for cell in counted if cell.active > 0)),
        weighted=True,
    )


def mean_support(ideas: Iterable[Idea], everybody: Audience) -> float:
    """Mean over ideas of supporters / active people (p0), 0..1: what a cell nobody speaks for is assumed to think."""
    if everybody.active <= 0:
        return 0.0
    shares = [min(1.0, sum(idea.supporters.values()) / everybody.active) for idea in ideas]
    return math.fsum(shares) / len(shares) if shares else 0.0


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
    share = sum(row.contribution for row in rows)
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


def _unweighted(active: Mapping[str, int], people: int, settings: Settings) -> Audience:
    """Everybody counts once. Pseudo-participants spread over the cells, so the shares pool to (k + a p0) / (m + a)."""
    cells = {
        name: Cell(here, here / people, 1.0, settings.pseudo_participants * here / people)
        for name, here in active.items()
        if here > 0
    }
    return Audience(cells, float(people), people, float(people), 1.0 if people else 0.0, weighted=False)


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
    for name, supporters in idea.supporters.items():
        if (place := quiet.places.get(name)) is None:
            strangers.append(_row(name, supporters, UNKNOWN, p0))
        else:
            rows[place] = _row(name, supporters, everybody.cells[name], p0)
    return tuple(sorted(rows + strangers, key=lambda row: row.cell) if strangers else rows)


def _row(name: str, supporters: int, cell: Cell, p0: float) -> CellRow:
    people = cell.active + cell.pseudo_participants
    # A vote can be counted a moment before its voter is counted as active: never more supporters than people.
    support = min(supporters, cell.active) + cell.pseudo_participants * p0
    contribution = cell.population_share * support / people if people > 0 else 0.0
    return CellRow(name, supporters, cell.active, cell.population_share, cell.weight, contribution)


UNKNOWN = Cell(active=0, population_share=0.0, weight=0.0, pseudo_participants=0.0)
"""A cell nobody is known to be in."""
