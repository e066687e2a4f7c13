"""Finding ideas: what a search limits the board to, and which ideas are similar to one being typed."""

from typing import NamedTuple

from services.roadmap import store
from services.roadmap.board.similar import SHORT, begins_words, fused, longest, pieces_of, words_of
from services.roadmap.ideas import Idea
from services.roadmap.store import Chosen, Folded
from shared.runtime import Connection, Transaction

MOST_SIMILAR = 5

ENOUGH = 30
"""Titles that contain all that was typed; with so many nobody looks for slips."""

ALIKE = 0.45
"""Share of common trigrams from which two titles are shown to people as perhaps the same."""

AT_ONCE = 20
"""Ideas compared with all others in one transaction."""


async def chosen(connection: Connection, text: str, category_id: str | None) -> Chosen:
    """What a search for this text limits the board to; an empty one to nothing."""
    words = words_of(text)
    if not words:
        return Chosen(category_id)
    phrase, *folded = await store.fold(connection, " ".join(words), *words)
    short = [word.key for word in folded if begins_words(word.key)]
    found = await store.found(connection, [word for word in folded if word.key not in short], short)
    look = await _look(connection, phrase)
    return Chosen(category_id, tuple({*found, *look.slips}), tuple(look.best))


async def similar(connection: Connection, text: str, limit: int = MOST_SIMILAR) -> list[Idea]:
    """The ideas on the board that say most nearly what this text begins to say, whatever its language."""
    words = words_of(text)
    if not words:
        return []
    [phrase] = await store.fold(connection, " ".join(words))
    look = await _look(connection, phrase)
    return await store.public_ideas(connection, look.best[:limit])


async def compare_new(tx: Transaction) -> None:
    """Compare ideas that are new or have another title with all others, for the desk where people merge them."""
    if feature_ids := await store.to_compare(tx.connection, AT_ONCE):
        await store.keep_lookalikes(tx.connection, feature_ids, ALIKE, tx.now)


class Look(NamedTuple):
    """Ids of the ideas that say a phrase most nearly, the best first, and of those that say it but for a slip."""

    best: list[str]
    slips: list[str]


async def _look(connection: Connection, phrase: Folded) -> Look:
    """Look three ways that fail differently; once is enough where many titles contain all that was typed."""
    pieces, words = pieces_of(phrase.key), phrase.spelled.split()
    if not words:
        return Look([], [])
    short = [piece for piece in pieces if begins_words(piece)]
    literal = await store.by_pieces(connection, [piece for piece in pieces if piece not in short], short)
    if literal.complete >= ENOUGH:
        return Look(literal.feature_ids, [])
    whole = await store.by_words(connection, longest(words), begun=words[-1])
    near = await store.by_trigrams(connection, phrase.spelled) if max(map(len, words)) > SHORT else []
    return Look(
        fused([[idea.feature_id for idea in near], whole, literal.feature_ids]),
        [idea.feature_id for idea in near if idea.holds_all],
    )
