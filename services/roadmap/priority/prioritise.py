"""Scores ideas from what is stored, and tells others when a score really changed.

Whatever changes an idea's inputs marks it as due in the same transaction. A job takes the marks, scores and publishes
in one transaction of its own, so that a vote costs what its own rows cost and a crash loses no score.
"""

from collections.abc import Collection, Mapping
from math import isclose
from types import MappingProxyType
from typing import Final

from services.roadmap import store
from services.roadmap.priority import measured
from services.roadmap.priority.audience import Audience
from services.roadmap.priority.audience import audience as weighed
from services.roadmap.priority.frame import Frame
from services.roadmap.priority.measured import Priority
from services.roadmap.store import Due, Inputs, Published, derived
from shared.contract.events import FeaturePriorityChanged
from shared.runtime import Connection, Transaction
from shared.runtime.database import Cause
from shared.runtime.telemetry import trace_headers

REAL_CHANGE = 1e-9
"""Relative. Sums over cells may differ in their last bits without anybody having changed their mind."""

NO_CAUSES: Mapping[str, Cause] = MappingProxyType({})

AT_ONCE: Final = 200
"""Ideas scored in one transaction, which holds their rows meanwhile."""


async def mark_due(tx: Transaction, feature_ids: Collection[str], causes: Mapping[str, Cause] = NO_CAUSES) -> None:
    """Have these ideas scored anew soon; what is then published names the event that caused it."""
    if tx.repeated:  # scored when it was new; `mark_rebuilt` marks what came out differently
        return
    here = trace_headers().get("traceparent")
    marks = [
        Due(feature_id, cause.event_id, cause.correlation_id, cause.trace or here)
        for feature_id in set(feature_ids)
        for cause in (causes.get(feature_id, tx.cause),)
    ]
    if marks:
        await store.mark_due(tx.connection, marks)


async def mark_rebuilt(tx: Transaction) -> None:
    """After a rebuild: the ideas that are supported otherwise now than before it."""
    await mark_due(tx, await derived.supported_otherwise(tx.connection))


async def score_due(tx: Transaction) -> None:
    """Score ideas that are due and publish what changed.

    A closed idea is no longer prioritised. Who is active and how many support ideas on average move with every vote on
    any idea; an idea whose own inputs stay the same is not published again for that, but every reader sees it.
    """
    due = await store.due_ideas(tx.connection, AT_ONCE)
    if not due:
        return
    # Before anything is read: scores of one idea are computed, numbered and published one after the other.
    await store.lock_ideas(tx.connection, due)
    marks = {mark.feature_id: mark for mark in await store.take_due(tx.connection, due)}
    everybody = await audience(tx.connection)
    p0 = await _mean_support(tx.connection, everybody)
    floor = await store.version_floor(tx.connection)
    ideas = await store.inputs(tx.connection, marks)
    scored = measured.prioritise_all((given.idea for given in ideas), everybody, p0)
    changed: dict[str, tuple[Published, Priority]] = {}
    for given, found in zip(ideas, scored, strict=True):
        before = given.published.score if given.published else 0.0
        if given.closed or isclose(found.score, before, rel_tol=REAL_CHANGE):
            continue
        version = (given.published.version if given.published else floor) + 1
        votes_before = given.published.raw_votes if given.published else None
        score = Published(
            version, found.score, before if given.published else None, tx.now, found.raw_votes, votes_before
        )
        changed[given.feature_id] = score, found
    if not changed:
        return
    await store.keep_priorities(tx.connection, [(feature_id, score) for feature_id, (score, _) in changed.items()])
    await _publish(tx, changed, marks)


async def _publish(
    tx: Transaction, changed: Mapping[str, tuple[Published, Priority]], marks: Mapping[str, Due]
) -> None:
    await tx.publish_each(
        [
            (Cause(*marks[feature_id][1:]), _event(feature_id, score, found))
            for feature_id, (score, found) in changed.items()
        ]
    )


async def explain(connection: Connection, feature_id: str) -> tuple[Inputs, Priority]:
    """What the idea's priority is made of, and the priority as of now; the idea must exist."""
    everybody = await audience(connection)
    p0 = await _mean_support(connection, everybody)
    [given] = await store.inputs(connection, [feature_id])
    return given, measured.prioritise(given.idea, everybody, p0)


async def audience(connection: Connection, frame: Frame | None = None) -> Audience:
    """Everybody who took part, weighed against this customer base, or the present one, where that is known."""
    if frame is None:
        frame = (await store.stored_frame(connection)).frame
    return weighed(await store.active_people(connection), frame)


async def _mean_support(connection: Connection, everybody: Audience) -> float:
    ideas, supporters = await store.support_total(connection, everybody.active)
    return measured.mean_support(supporters, ideas, everybody.active)


def _event(feature_id: str, score: Published, found: Priority) -> FeaturePriorityChanged:
    return FeaturePriorityChanged(
        feature_id=feature_id,
        version=score.version,
        score=score.score,
        previous_score=score.previous_score,
        raw_votes=found.raw_votes,
        previous_raw_votes=score.previous_raw_votes,
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
