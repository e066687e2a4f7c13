"""Finding ideas: what a search limits the board to, and which ideas are similar to one being typed."""

from services.roadmap import store
from services.roadmap.board.similar import fused, lexemes_of, pieces_of, words_of
from services.roadmap.ideas import Idea
from services.roadmap.store import Chosen
from shared.runtime import Connection, Transaction

MOST_SIMILAR = 5

ALIKE = 0.45
"""Share of common trigrams from which two titles are shown to people as perhaps the same."""

AT_ONCE = 20
"""Ideas compared with all others in one transaction."""


async def chosen(connection: Connection, text: str, category_id: str | None) -> Chosen:
    """What a search for this text limits the board to; an empty one to nothing."""
    words = words_of(text)
    if not words:
        return Chosen(category_id)
    (phrase, *folded), is_spelled = await store.fold(connection, " ".join(words), *words)
    found = await store.found(connection, phrase, folded, is_spelled=is_spelled)
    best = await _best(connection, phrase, is_spelled=is_spelled)
    return Chosen(category_id, tuple(found), tuple(best))


async def similar(connection: Connection, text: str, limit: int = MOST_SIMILAR) -> list[Idea]:
    """The ideas on the board that say most nearly what this text begins to say, whatever its language."""
    words = words_of(text)
    if not words:
        return []
    [phrase], is_spelled = await store.fold(connection, " ".join(words))
    best = await _best(connection, phrase, is_spelled=is_spelled)
    return await store.public_ideas(connection, best[:limit])


async def compare_new(tx: Transaction) -> None:
    """Compare ideas that are new or have another title with all others, for the desk where people merge them."""
    if feature_ids := await store.to_compare(tx.connection, AT_ONCE):
        await store.keep_lookalikes(tx.connection, feature_ids, ALIKE, tx.now)


async def _best(connection: Connection, phrase: str, *, is_spelled: bool) -> list[str]:
    """The ids of the ideas that say the folded phrase most nearly, by three looks that fail differently."""
    lexemes, pieces = lexemes_of(phrase), pieces_of(phrase)
    return fused(
        [
            await store.by_trigrams(connection, phrase) if is_spelled else [],
            await store.by_words(connection, lexemes, begun=words_of(phrase)[-1]) if lexemes else [],
            await store.by_pieces(connection, pieces) if pieces else [],
        ]
    )
