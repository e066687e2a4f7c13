"""Merging ideas that are the same, parting them again, and counting votes and words over what is merged."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from services.roadmap import store
from services.roadmap.ideas import Idea, Stage
from services.roadmap.merges.trees import LARGEST, Merge, recorded_on, survivors, why_not
from services.roadmap.priority.prioritise import mark_due
from services.roadmap.votes import Vote, latest_votes
from shared.runtime import Transaction, conflict, not_found, unprocessable
from shared.ui.sentences import Sentence
from shared.ui.words import marked


async def merge(tx: Transaction, feature_id: str, into_id: str, by: str) -> Merge:
    """Have one idea stand for both: people, comments and subscribers of either are its own until the merge is undone.

    What was merged into the first one comes along.
    Raises Problem when an idea is unknown or one of them must not be merged.
    """
    ideas = await _held(tx, [feature_id, into_id])
    for given in (feature_id, into_id):
        if given not in ideas:
            raise not_found("idea", given)
    if reason := why_not(ideas[feature_id], ideas[into_id]):
        raise conflict(reason)
    members = [idea.feature_id for idea in ideas.values() if feature_id in {idea.feature_id, idea.merged_into}]
    others = [idea.feature_id for idea in ideas.values() if into_id in {idea.feature_id, idea.merged_into}]
    if len(members) + len(others) > LARGEST:
        raise unprocessable(
            Sentence("At most %(most)s ideas can be merged into one; leave this one as it is.", most=LARGEST)
        )
    merged = Merge(str(uuid4()), feature_id, into_id, tx.now, by)
    await store.keep_merge(tx.connection, merged)
    await _regroup(tx, ideas)
    return merged


async def unmerge(tx: Transaction, merge_id: str, by: str) -> Merge:
    """Undo a merge: both ideas have again the people, comments and subscribers that are theirs.

    Raises Problem when there is no such merge or it is undone already.
    """
    await store.merge_alone(tx.connection)
    merged = await store.find_merge(tx.connection, merge_id)
    if merged is None:
        raise not_found(marked("merge"), merge_id)
    ideas = await _held(tx, [merged.feature_id, merged.into_id])
    if merged.unmerged_at is not None:
        raise conflict(Sentence("This merge was undone on %(day)s already.", day=f"{merged.unmerged_at:%Y-%m-%d}"))
    undone = merged._replace(unmerged_at=max(tx.now, merged.merged_at), unmerged_by=by)
    await store.keep_merge(tx.connection, undone)
    await _regroup(tx, ideas)
    return undone


async def dismiss(tx: Transaction, first_id: str, second_id: str, by: str) -> None:
    """Say for good that two ideas are not the same.

    Raises Problem when one of them is unknown.
    """
    ideas = await store.lock_ideas(tx.connection, [first_id, second_id])
    for given in (first_id, second_id):
        if given not in ideas:
            raise not_found("idea", given)
    await store.dismiss(tx.connection, first_id, second_id, by, tx.now)


async def placed(
    tx: Transaction, votes: Sequence[Vote], ideas: Mapping[str, Stage]
) -> tuple[list[Vote], dict[str, Stage]]:
    """The votes on the ideas they are recorded on, and all the ideas concerned, held."""
    regrouped = {vote.feature_id for vote in votes if ideas[vote.feature_id].regrouped}
    merges = await store.merges_around(tx.connection, regrouped) if regrouped else []
    there = latest_votes(
        vote._replace(feature_id=recorded_on(vote.feature_id, vote.voted_at, merges))
        if vote.feature_id in regrouped
        else vote
        for vote in votes
    )
    held = dict(ideas)
    lacking = {vote.feature_id for vote in there} | {idea.merged_into for idea in ideas.values() if idea.merged_into}
    while missing := lacking - held.keys():
        held |= await store.hold_ideas(tx.connection, missing, tx.now)
        lacking = {held[feature_id].merged_into or feature_id for feature_id in missing}
    return there, held


async def keep_votes(
    tx: Transaction, votes: Sequence[Vote], ideas: Mapping[str, Stage], cells: Mapping[str, str]
) -> list[str]:
    """Keep votes on held ideas and count them, each voter in their cell; gives the ideas that changed."""
    grouped = [vote for vote in votes if ideas[vote.feature_id].regrouped]
    if not grouped:
        return await store.keep_votes(tx.connection, votes, cells)
    alone = [vote for vote in votes if not ideas[vote.feature_id].regrouped]
    changed = await store.keep_votes(tx.connection, alone, cells)
    return changed + await store.keep_grouped_votes(tx.connection, grouped, cells)


async def settle_words(tx: Transaction, pairs: Sequence[store.Pair], ideas: Mapping[str, Idea]) -> list[str]:
    """Make words and counters follow the insights of these pairs on held ideas; gives the ideas that changed."""
    grouped = [pair for pair in pairs if ideas[pair[0]].regrouped]
    if not grouped:
        return await store.settle_words(tx.connection, pairs)
    await store.lock_ideas(tx.connection, {ideas[name].merged_into or name for name, _ in grouped} - ideas.keys())
    changed = await store.settle_words(tx.connection, [pair for pair in pairs if not ideas[pair[0]].regrouped])
    return changed + await store.settle_grouped_words(tx.connection, grouped)


async def _held(tx: Transaction, feature_ids: Sequence[str]) -> dict[str, Idea]:
    """These ideas and all that ever were merged with them, whose people are counted anew; nobody else merges meanwhile.

    An idea that does not exist is left out.
    """
    await store.merge_alone(tx.connection)
    merges = await store.merges_around(tx.connection, feature_ids)
    around = {*feature_ids, *(each for merge in merges for each in (merge.feature_id, merge.into_id))}
    return await store.lock_ideas(tx.connection, around)


async def _regroup(tx: Transaction, ideas: Mapping[str, Idea]) -> None:
    merges = await store.merges_around(tx.connection, ideas)
    await store.regroup(tx.connection, survivors(ideas, merges))
    await mark_due(tx, ideas)
