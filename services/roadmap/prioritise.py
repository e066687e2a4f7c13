"""Scores ideas from what is stored, and tells others when a score really changed."""

from collections.abc import Collection, Mapping
from math import isclose
from types import MappingProxyType

from services.roadmap import priority, store
from services.roadmap.priority import Audience, Priority
from services.roadmap.store import Inputs, Published
from shared.contract.events import FeaturePriorityChanged
from shared.runtime import Connection, Transaction
from shared.runtime.database import Cause

REAL_CHANGE = 1e-9
"""Relative. Sums over cells may differ in their last bits without anybody having changed their mind."""

NO_CAUSES: Mapping[str, Cause] = MappingProxyType({})


async def reprioritise(tx: Transaction, feature_ids: Collection[str], causes: Mapping[str, Cause] = NO_CAUSES) -> None:
    """Score these ideas anew after their inputs changed, and publish what changed with the event that caused it.

    A closed idea is no longer prioritised. Who is active and how many support ideas on average move with every vote on
    any idea; an idea whose own inputs stay the same is not published again for that, but every reader sees it.
    """
    if not feature_ids:
        return
    # Before anything is read: scores of one idea are computed, numbered and published one after the other.
    await store.lock_ideas(tx.connection, feature_ids)
    everybody = await audience(tx.connection)
    p0 = _mean_support(await store.support_totals(tx.connection), everybody)
    changed: list[tuple[str, Published, Priority]] = []
    ideas = await store.inputs(tx.connection, feature_ids)
    scored = priority.prioritise_all((given.idea for given in ideas), everybody, p0)
    for given, found in zip(ideas, scored, strict=True):
        before = given.published.score if given.published else 0.0
        if given.closed or isclose(found.score, before, rel_tol=REAL_CHANGE):
            continue
        version = given.published.version + 1 if given.published else 1
        score = Published(version, found.score, before if given.published else None, tx.now)
        changed.append((given.feature_id, score, found))
    if not changed:
        return
    await store.keep_priorities(tx.connection, [(feature_id, score) for feature_id, score, _ in changed])
    by_cause: dict[Cause, list[FeaturePriorityChanged]] = {}
    for feature_id, score, found in changed:
        by_cause.setdefault(causes.get(feature_id, tx.cause), []).append(_event(feature_id, score, found))
    for cause, events in by_cause.items():
        await tx.because_of(cause).publish(*events)


async def explain(connection: Connection, feature_id: str) -> tuple[Inputs, Priority]:
    """What the idea's priority is made of, and the priority as of now; the idea must exist."""
    everybody = await audience(connection)
    p0 = _mean_support(await store.support_totals(connection), everybody)
    [given] = await store.inputs(connection, [feature_id])
    return given, priority.prioritise(given.idea, everybody, p0)


async def ranking(connection: Connection) -> list[tuple[Inputs, Priority]]:
    """Every idea's priority as of now, seen against the same people, the highest score first."""
    everybody = await audience(connection)
    ideas = await store.inputs(connection)
    p0 = priority.mean_support((given.idea for given in ideas), everybody)
    found = priority.prioritise_all((given.idea for given in ideas), everybody, p0)
    return sorted(
        zip(ideas, found, strict=True), key=lambda pair: (-pair[1].score, -pair[1].raw_votes, pair[0].feature_id)
    )


async def audience(connection: Connection) -> Audience:
    """Everybody who took part, weighed against the customer base where that is known."""
    return priority.audience(await store.active_people(connection), await store.population(connection) or None)


def _mean_support(totals: list[int], everybody: Audience) -> float:
    # Only sums count for the mean, so the cells need not be read.
    return priority.mean_support((priority.Idea({"all": total}) for total in totals), everybody)


def _event(feature_id: str, score: Published, found: Priority) -> FeaturePriorityChanged:
    return FeaturePriorityChanged(
        feature_id=feature_id,
        version=score.version,
        score=score.score,
        previous_score=score.previous_score,
        raw_votes=found.raw_votes,
        share=min(1.0, found.share),  # a sum of shares may end a last bit above 1
        share_low=found.interval[0],
        effective_sample_size=found.n_eff,
        weighted=found.weighted,
        impact=found.impact,
        kpi_factor=found.kpi_factor,
        effort_weeks=found.effort_weeks,
        formula=found.formula_version,
        changed_at=score.changed_at,
    )
