"""Why an idea stands where it does: what weighting did to it, and what would change the order."""

from __future__ import annotations

from dataclasses import dataclass

from services.roadmap.priority.audience import DEFAULTS, Settings
from services.roadmap.priority.measured import EFFORT_FLOOR, CellRow, Priority
from services.roadmap.priority.scoring import share_for_lower_bound

MOST_IMPORTANCE = 3.0


@dataclass(frozen=True, slots=True)
class Mover:
    """The segment that moved an idea's share most by being weighted.

    `population_share` and `active_share` are its parts of the customer base and of those who took part, `support` the
    part of its people who support the idea, `effect` what its weighting adds to the idea's share; all as parts of 1.
    """

    cell: str
    population_share: float
    active_share: float
    support: float
    effect: float


@dataclass(frozen=True, slots=True)
class Passing:
    """What would bring an idea level with the one above, each alone; None where that alone cannot.

    `effort_weeks` at most, `share` and `impact` at least.
    """

    feature_id: str
    score: float
    effort_weeks: float | None
    share: float | None
    impact: float | None


def mover(found: Priority) -> Mover | None:
    """The segment whose weighting moved the share most; None where nothing is weighted or everybody weighs the same.

    share - unweighted share = sum over cells of (pi_h - m_h / m) * (k_h / m_h - mean), so each cell has its part.
    """
    people = sum(row.active for row in found.rows)
    if not found.weighted or people == 0:
        return None
    mean = sum(min(row.supporters, row.active) for row in found.rows) / people
    moved = [_moved(row, people, mean) for row in found.rows if row.active > 0]
    return max(moved, key=lambda one: abs(one.effect)) if any(one.effect for one in moved) else None


def passing(found: Priority, above_id: str, above_score: float, settings: Settings = DEFAULTS) -> Passing:
    """What it takes to reach the score of the idea above."""
    worth = found.impact * found.kpi_factor / found.effort_weeks
    effort = found.conservative_reach * found.impact * found.kpi_factor / above_score if above_score > 0 else None
    rest = found.conservative_reach * found.kpi_factor / found.effort_weeks
    impact = above_score / rest if rest > 0 else None
    return Passing(
        feature_id=above_id,
        score=above_score,
        effort_weeks=effort if effort is not None and effort >= EFFORT_FLOOR else None,
        share=_share(above_score / worth, found, settings) if worth > 0 else None,
        impact=impact if impact is not None and impact <= MOST_IMPORTANCE else None,
    )


def _share(reach: float, found: Priority, settings: Settings) -> float | None:
    if found.population <= 0 or found.n_eff <= 0 or reach >= found.population:
        return None
    share = share_for_lower_bound(reach / found.population, found.n_eff, settings.confidence)
    return share if share <= 1 else None


def _moved(row: CellRow, people: int, mean: float) -> Mover:
    support, part = min(row.supporters, row.active) / row.active, row.active / people
    return Mover(row.cell, row.population_share, part, support, (row.population_share - part) * (support - mean))
