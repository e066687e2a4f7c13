"""All ideas as arrays, so that ten thousand of them are scored and sorted in milliseconds at each read.

Every number is that of `priority.prioritise`, to the last bit: the same operations in the same order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.roadmap.ideas import STATUSES, Status
from services.roadmap.priority.audience import DEFAULTS, Audience, Settings
from services.roadmap.priority.measured import EFFORT_FLOOR, mean_support
from services.roadmap.priority.scoring import DEFAULT_IMPORTANCE, normal_quantile

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]

STATUS, ESTIMATE, IMPORTANCE, SPEAKERS, SUPPORTERS, MOMENTUM, CREATED, KPIS, HIDDEN = range(9)
"""The columns of `Standings.facts`."""


class Standing(NamedTuple):
    """What is stored of one idea; `hidden` ones are ranked nowhere, `created_at` is in seconds since 1970 (UTC).

    Of those who support it, `people` are in each of `cells`; `importance` is the sum over the `speakers` who said one.
    """

    feature_id: str
    status: Status
    effort_weeks: float | None
    kpi_ids: Sequence[str]
    supporters: int
    momentum: float
    created_at: float
    hidden: bool
    cells: Sequence[str]
    people: Sequence[int]
    importance: int
    speakers: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of `priority.Priority`, each for all ideas."""

    share: Floats
    low: Floats
    high: Floats
    reach: Floats
    impact: Floats
    kpi_factor: Floats
    effort: Floats
    score: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """One row for each idea of `ids`: `people` by cell (ideas x cells) and its other `facts`.

    Statuses and `kpi_sets`, the different sets of linked KPIs, are numbered in the facts. Never changed: `updated`
    gives another one.
    """

    ids: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    kpi_sets: tuple[tuple[str, ...], ...] = ((),)
    people: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    facts: Floats = field(default_factory=lambda: np.zeros((0, 9)))
    alphabet: Places = field(default_factory=lambda: np.zeros(0, dtype=np.intp))

    def updated(self, changed: Sequence[Standing]) -> Standings:
        """With these ideas as they stand now, known before or not."""
        if not changed:
            return self
        known = {name: row for row, name in enumerate(self.ids)}
        fresh = [idea.feature_id for idea in changed if idea.feature_id not in known]
        known |= {name: row for row, name in enumerate(fresh, start=len(self.ids))}
        new_cells = set().union(*(idea.cells for idea in changed)) - set(self.cells)
        cells = (*self.cells, *sorted(new_cells))
        columns = {cell: column for column, cell in enumerate(cells)}
        kpi_sets = tuple(dict.fromkeys((*self.kpi_sets, *(tuple(idea.kpi_ids) for idea in changed))))
        kpi_set = {kpis: place for place, kpis in enumerate(kpi_sets)}
        people = np.pad(self.people, ((0, len(fresh)), (0, len(new_cells))))
        facts = np.pad(self.facts, ((0, len(fresh)), (0, 0)))
        for idea in changed:
            row = known[idea.feature_id]
            people[row] = 0
            people[row, [columns[cell] for cell in idea.cells]] = idea.people
            facts[row] = (
                STATUSES.index(idea.status),
                np.nan if idea.effort_weeks is None else idea.effort_weeks,
                idea.importance,
                idea.speakers,
                idea.supporters,
                idea.momentum,
                idea.created_at,
                kpi_set[tuple(idea.kpi_ids)],
                idea.hidden,
            )
        ids = (*self.ids, *fresh)
        alphabet = _alphabet(ids) if fresh else self.alphabet
        return Standings(ids, cells, kpi_sets, people, facts, alphabet)

    def within(self, statuses: Collection[Status]) -> Bools:
        """Which ideas are in one of these."""
        return np.isin(self.facts[:, STATUS], [STATUSES.index(status) for status in statuses])

    @property
    def shown(self) -> Bools:
        """Which ideas are ranked."""
        found: Bools = self.facts[:, HIDDEN] == 0
        return found

    def mean_support(self, active: int) -> float:
        """As `priority.mean_support`, over the ideas that are ranked."""
        supporters = self.facts[self.shown, SUPPORTERS]
        return mean_support(int(np.minimum(supporters, active).sum()), len(supporters), active)

    def terms(self, everybody: Audience, p0: float, gaps: Mapping[str, float], settings: Settings = DEFAULTS) -> Terms:
        """Score all ideas before one audience; `gaps` are those of the KPIs, 0..1 each."""
        facts = self.facts
        share = self._shares(everybody, p0)
        low, high = _wilson(share, everybody.n_eff, settings.confidence)
        reach = everybody.population * low
        prior = settings.importance_prior_people
        impact = (facts[:, IMPORTANCE] + prior * DEFAULT_IMPORTANCE) / (facts[:, SPEAKERS] + prior)
        gap = np.array([max((gaps.get(kpi, 0.0) for kpi in kpis), default=0.0) for kpis in self.kpi_sets])
        kpi_factor = 1.0 + settings.kpi_weight * np.clip(gap[facts[:, KPIS].astype(np.intp)], 0.0, 1.0)
        estimate = np.where(np.isnan(facts[:, ESTIMATE]), settings.assumed_effort_weeks, facts[:, ESTIMATE])
        effort = np.maximum(EFFORT_FLOOR, estimate)
        return Terms(share, low, high, reach, impact, kpi_factor, effort, reach * impact * kpi_factor / effort)

    def order(self, key: Floats, statuses: Collection[Status] = STATUSES) -> Places:
        """Rows of the ranked ideas in these statuses: the greatest key first, then the most supporters, then the id.

        Without a key (NaN) an idea is behind those that have one.
        """
        last = np.where(np.isnan(key), -np.inf, key)
        rows = np.lexsort((self.alphabet, -self.facts[:, SUPPORTERS], -last))
        return rows[(self.shown & self.within(statuses))[rows]]

    def _shares(self, everybody: Audience, p0: float) -> Floats:
        columns: dict[str, list[int]] = {}
        for column, fine in enumerate(self.cells):
            columns.setdefault(everybody.strata.get(fine, fine), []).append(column)
        share = np.zeros(len(self.ids))
        for name, cell in sorted(everybody.cells.items()):
            people = cell.active + cell.pseudo_participants
            if people > 0:
                support = np.minimum(self.people[:, columns.get(name, [])].sum(axis=1), cell.active)
                share += cell.population_share * (support + cell.pseudo_participants * p0) / people
        return share


def ranks(order: Places, ideas: int) -> Places:
    """The rank of each idea, the first is 1; 0 for one that has none."""
    found = np.zeros(ideas, dtype=np.intp)
    found[order] = np.arange(1, len(order) + 1)
    return found


def _alphabet(ids: Sequence[str]) -> Places:
    order = sorted(range(len(ids)), key=ids.__getitem__)
    places = np.empty(len(ids), dtype=np.intp)
    places[order] = np.arange(len(ids))
    return places


def _wilson(share: Floats, n: float, confidence: float) -> tuple[Floats, Floats]:
    """`scoring.wilson_interval` of many shares."""
    if n <= 0:
        return np.zeros(len(share)), np.ones(len(share))
    z2 = normal_quantile(confidence) ** 2
    centre = share + z2 / (2 * n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))
    scale = 1 + z2 / n
    return np.maximum(0.0, (centre - half) / scale), np.minimum(1.0, (centre + half) / scale)
