"""Everything there is to say about where one idea stands, gathered for the page and for JSON."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from services.roadmap import store
from services.roadmap.ideas import CLOSED, STATUSES
from services.roadmap.priority import lenses
from services.roadmap.priority.explaining import Mover, Passing, mover, passing
from services.roadmap.priority.lenses import LENSES, Estimates, LensName, Reading
from services.roadmap.priority.measured import Priority, prioritise
from services.roadmap.priority.ranking import Ranking, Remembered
from services.roadmap.priority.scoring import hacker_news
from services.roadmap.priority.standings import CREATED, ESTIMATE, MOMENTUM, SUPPORTERS, Floats
from services.roadmap.store import Inputs, InputTimes
from shared.runtime import Connection, Transaction

OPEN = tuple(status for status in STATUSES if status not in CLOSED)


@dataclass(frozen=True, slots=True)
class Why:
    """One idea among all open ones.

    `unweighted` is its priority if everybody counted once. Ranks begin at 1 among `ranked` ideas; None for an idea that
    is closed or hidden. `above` is what it takes to pass the next one, None at the top.
    """

    given: Inputs
    priority: Priority
    unweighted: Priority
    rank: int | None
    unweighted_rank: int | None
    ranked: int
    mover: Mover | None
    above: Passing | None
    times: InputTimes
    estimates: Estimates
    readings: Mapping[LensName, Reading]


async def explain(tx: Transaction, remembered: Remembered, feature_id: str) -> Why:
    """The idea must exist."""
    connection = tx.connection
    ranking = await remembered.ranking(connection)
    [given] = await store.inputs(connection, [feature_id])
    found = prioritise(given.idea, ranking.everybody, ranking.mean_support)
    order = ranking.ids(ranking.ordered(ranking.terms.score, OPEN))
    unweighted = ranking.ids(ranking.ordered(ranking.unweighted.score, OPEN))
    rank = order.index(feature_id) + 1 if feature_id in order else None
    above = order[rank - 2] if rank is not None and rank > 1 else None
    estimates = await store.estimates(connection, [feature_id])
    revenue = await store.revenue(connection, [feature_id])
    return Why(
        given=given,
        priority=found,
        unweighted=prioritise(given.idea, ranking.plain, ranking.mean_support),
        rank=rank,
        unweighted_rank=unweighted.index(feature_id) + 1 if rank is not None else None,
        ranked=len(order),
        mover=mover(found),
        above=passing(found, above, float(ranking.terms.score[ranking.row(above)])) if above is not None else None,
        times=await store.input_times(connection, feature_id),
        estimates=estimates.get(feature_id, lenses.NOTHING),
        readings={
            lens: _reading(lens, ranking, ranking.row(feature_id), estimates, revenue, tx.now) for lens in LENSES
        },
    )


async def by_lens(
    connection: Connection, ranking: Ranking, lens: LensName, now: datetime
) -> tuple[Floats, Callable[[int], Reading]]:
    """What all ideas are ordered by (NaN where the lens has no value), and the reading of the idea in a row."""
    estimates = await store.estimates(connection) if lens not in MEASURED else {}
    revenue = await store.revenue(connection) if lens == "revenue" else None

    def reading(row: int) -> Reading:
        return _reading(lens, ranking, row, estimates, revenue, now)

    ids, facts = ranking.standings.ids, ranking.standings.facts
    if lens == "momentum":  # all fade alike, so the order is that of what is stored
        return facts[:, MOMENTUM], reading
    if lens == "hot":
        ages = np.maximum(0.0, (now.timestamp() - facts[:, CREATED]) / 3600)
        points = zip(facts[:, SUPPORTERS].tolist(), ages.tolist(), strict=True)
        return np.array([hacker_news(*point) for point in points]), reading
    key = np.full(len(ids), np.nan)
    if revenue is not None:
        key = np.array([revenue.get(name, 0.0) for name in ids])
    for row, name in enumerate(ids):
        if name in estimates and (value := reading(row).value) is not None:
            key[row] = value
    return key, reading


MEASURED: Collection[LensName] = frozenset({"momentum", "revenue", "hot"})
"""Lenses that ask nobody for an estimate."""


def _reading(
    lens: LensName,
    ranking: Ranking,
    row: int,
    estimates: Mapping[str, Estimates],
    revenue: Mapping[str, float] | None,
    now: datetime,
) -> Reading:
    facts, name = ranking.standings.facts[row], ranking.standings.ids[row]
    effort = float(facts[ESTIMATE])
    given = lenses.Inputs(
        estimates=estimates.get(name, lenses.NOTHING),
        reach=ranking.everybody.population * float(ranking.terms.share[row]),
        supporters=int(facts[SUPPORTERS]),
        momentum=float(facts[MOMENTUM]),
        effort_weeks=None if np.isnan(effort) else effort,
        revenue=None if revenue is None else revenue.get(name, 0.0),
        created_at=float(facts[CREATED]),
        now=now.timestamp(),
    )
    return lenses.read(lens, given)
