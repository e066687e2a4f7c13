"""Weights that make the people who took part stand for the whole customer base, and what they cost in precision.

Arrays hold one number per cell (a combination of segments) or per person. An undefined entry is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
CellKey = TypeVar("CellKey", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the participants can speak for.

    `covered_share` is the part of the population (0..1) in cells with participants; `empty_cells` have none, so
    nothing about them is identified: they are what to recruit.
    """

    covered_share: float
    empty_cells: tuple[str, ...]

    @property
    def identified(self) -> bool:
        return not self.empty_cells

    @property
    def status(self) -> str:
        return "identified" if self.identified else "not identified"


def coverage(participants: Mapping[str, float], population: Mapping[str, float]) -> Coverage:
    """Coverage of population cells (counts or shares) by participants per cell; a missing cell counts as empty."""
    total = math.fsum(population.values())
    if total <= 0:
        return Coverage(0.0, ())
    empty = tuple(cell for cell, size in population.items() if size > 0 and participants.get(cell, 0) <= 0)
    return Coverage(1.0 - math.fsum(population[cell] for cell in empty) / total, empty)


def post_stratify(sample: ArrayLike, population: ArrayLike) -> Floats:
    """Weight of each participant by cell: population / sample, same shape (Holt & Smith 1979, JRSS A 142:33).

    Population as counts gives weights that add up to the population. A cell without participants gets NaN.
    """
    observed, wanted = np.asarray(sample, dtype=np.float64), np.asarray(population, dtype=np.float64)
    if observed.shape != wanted.shape:
        raise ValueError(f"sample has shape {observed.shape}, population {wanted.shape}: give both by the same cells")
    weights: Floats = np.divide(wanted, observed, out=np.full(observed.shape, np.nan), where=observed > 0)
    return weights


def post_stratify_rows(
    cells: Sequence[CellKey], design_weights: Sequence[float], targets: Mapping[CellKey, float]
) -> Floats:
    """Weight per person: design weights scaled so that each cell adds up to its target.

    The ratio of design weights inside a cell is kept. A person whose cell has no target, or no design weight to
    scale, gets NaN.
    """
    totals: dict[CellKey, float] = {}
    for cell, design in zip(cells, design_weights, strict=True):
        totals[cell] = totals.get(cell, 0.0) + design
    factor = {cell: targets.get(cell, math.nan) / total if total > 0 else math.nan for cell, total in totals.items()}
    return np.array([design * factor[cell] for cell, design in zip(cells, design_weights, strict=True)])


def shrunk_shares(supporters: ArrayLike, participants: ArrayLike, prior: float, alpha: ArrayLike) -> Floats:
    """Support share per cell drawn towards `prior` by `alpha` pseudo-participants: (k + alpha p0) / (m + alpha).

    Beta-binomial posterior mean with prior weight alpha. With alpha 0 and nobody in the cell: NaN.
    """
    k, m = np.asarray(supporters, dtype=np.float64), np.asarray(participants, dtype=np.float64)
    pseudo = np.broadcast_to(np.asarray(alpha, dtype=np.float64), m.shape)
    shares: Floats = np.divide(k + pseudo * prior, m + pseudo, out=np.full(m.shape, np.nan), where=m + pseudo > 0)
    return shares


def weighted_mean(weights: ArrayLike, counts: ArrayLike, sums: ArrayLike) -> float | None:
    """Weighted mean of a measure from its sum and count per cell; cells of count 0 are left out.

    None when no weight is left.
    """
    w, n, s = (np.asarray(values, dtype=np.float64) for values in (weights, counts, sums))
    held = n > 0
    weight = float(np.sum(w[held] * n[held]))
    return float(np.sum(w[held] * s[held])) / weight if weight > 0 else None


def design_effect(weights: ArrayLike, counts: ArrayLike = 1.0) -> float | None:
    """Kish's loss from unequal weights: n sum(w^2) / (sum w)^2, at least 1 (Kish 1965, Survey Sampling, 11.7).

    One weight per person, or per cell with the people it holds in `counts`. None without any weight.
    """
    w = np.asarray(weights, dtype=np.float64)
    n = np.broadcast_to(np.asarray(counts, dtype=np.float64), w.shape)
    n_eff = effective_sample_size(w, n)
    return float(np.sum(n)) / n_eff if n_eff > 0 else None


def effective_sample_size(weights: ArrayLike, counts: ArrayLike = 1.0) -> float:
    """(sum w)^2 / sum(w^2): unweighted answers that would be as precise (Kish 1965). 0 without any weight."""
    w = np.asarray(weights, dtype=np.float64)
    n = np.broadcast_to(np.asarray(counts, dtype=np.float64), w.shape)
    held = n > 0
    squares = float(np.sum(n[held] * w[held] ** 2))
    return float(np.sum(n[held] * w[held])) ** 2 / squares if squares > 0 else 0.0


def trim(weights: ArrayLike, counts: ArrayLike = 1.0, cap_ratio: float = 5.0) -> Floats:
    """Weights cut at `cap_ratio` times their mean, then scaled back to their old sum (Potter 1990, ASA SRMS).

    Trades some bias for precision. After scaling the largest weight may lie above the cap again.
    """
    w = np.asarray(weights, dtype=np.float64)
    n = np.broadcast_to(np.asarray(counts, dtype=np.float64), w.shape)
    people, total = float(np.sum(n)), float(np.sum(n * w))
    if people <= 0 or total <= 0:
        return w.copy()
    cut = np.minimum(w, cap_ratio * total / people)
    return cut * (total / float(np.sum(n * cut)))
