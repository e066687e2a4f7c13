"""Everybody who took part, seen against the customer base: what all ideas are scored before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from services.roadmap.priority.frame import NO_FRAME, Fit, Frame, weigh
from services.roadmap.priority.weighting import effective_sample_size


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
    """One stratum: people active in it, its share of the customer base, what each person weighs."""

    active: int
    population_share: float
    weight: float
    pseudo_participants: float


UNKNOWN_CELL = Cell(active=0, population_share=0.0, weight=0.0, pseudo_participants=0.0)
"""A cell nobody is known to be in."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who took part, seen against the customer base: the same for all ideas.

    `strata` names the stratum in `cells` of each cell a person may be in. `weighted` is False when the customer base is
    unknown: each person then counts once and `population` is the number of active people. `covered_share` is the part
    of the customer base in strata that somebody speaks for, `outside` how many people the frame does not name, `n_eff`
    how many unweighted answers the active people are worth. `fit` tells how raking ended, where there was any.
    """

    cells: Mapping[str, Cell]
    strata: Mapping[str, str]
    population: float
    active: int
    n_eff: float
    covered_share: float
    weighted: bool
    outside: int = 0
    fit: Fit | None = None

    @property
    def design_effect(self) -> float | None:
        """How many times more people it takes than without unequal weights (Kish); None without anybody who counts."""
        return (self.active - self.outside) / self.n_eff if self.n_eff > 0 else None

    @property
    def silent(self) -> dict[str, float]:
        """Shares of the customer base, by stratum, that nobody speaks for."""
        return {
            name: cell.population_share
            for name, cell in self.cells.items()
            if cell.active == 0 and cell.population_share > 0
        }


def audience(active: Mapping[str, int], frame: Frame = NO_FRAME, settings: Settings = DEFAULTS) -> Audience:
    """Weigh the distinct active people per cell against the frame, if it knows any customers.

    People in strata the frame does not name weigh 0; strata nobody is active in keep their population share, of which
    nothing but the mean support is assumed.
    """
    people = sum(active.values())
    if frame.customers <= 0:
        return _unweighted(active, people, settings)
    weighed = weigh(active, frame)
    cells = {
        name: Cell(
            weighed.people.get(name, 0),
            weighed.shares.get(name, 0.0),
            weighed.weights.get(name, 0.0),
            settings.pseudo_participants,
        )
        for name in sorted(
            {**weighed.shares, **weighed.people}
        )  # one order, so that replayed events give the same bits
    }
    counted = list(cells.values())
    return Audience(
        cells=cells,
        strata=weighed.strata,
        population=frame.customers,
        active=people,
        n_eff=effective_sample_size([cell.weight for cell in counted], [cell.active for cell in counted]),
        covered_share=min(1.0, math.fsum(cell.population_share for cell in counted if cell.weight > 0)),
        weighted=True,
        outside=sum(cell.active for name, cell in cells.items() if name not in weighed.shares),
        fit=weighed.fit,
    )


def _unweighted(active: Mapping[str, int], people: int, settings: Settings) -> Audience:
    """Everybody counts once. Pseudo-participants spread over the cells, so the shares pool to (k + a p0) / (m + a)."""
    cells = {
        name: Cell(here, here / people, 1.0, settings.pseudo_participants * here / people)
        for name, here in sorted(active.items())
        if here > 0
    }
    return Audience(cells, {}, float(people), people, float(people), 1.0 if people else 0.0, weighted=False)
