"""The SQL that finds ideas by what they say, in any language.

Three looks that fail differently: trigrams forgive slips, full text knows whole words, and plain infix finds the parts
of compounds and of scripts without spaces. All compare `folded` letters; trigrams and full text, which know ASCII alone
in every locale, those letters `spelled`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .connection import Connection

ON_BOARD = "status_version > 0 AND visibility = 'published' AND merged_into IS NULL"

PLACES = 30
"""How far down each look goes."""

NEAR = 0.43
"""Share of trigrams that a phrase and the stretch of a title it looks like have in common: a slip in a word of five."""

SHORT = 3
"""Letters; of a shorter word too many are the beginning, and up to here trigrams find hardly less than reading all."""

SHORT_SLIP = 0.6
"""The same share for a word of four letters or less, of which more must be right to know it by."""


class Folded(NamedTuple):
    """A text as searches compare it: its folded letters, and those spelled in ASCII."""

    key: str
    spelled: str


class Near(NamedTuple):
    """An idea whose title looks like what was asked for, and whether it holds every word but for slips."""

    feature_id: str
    holds_all: bool


async def fold(connection: Connection, *texts: str) -> list[Folded]:
    """Fold and spell the texts, and have the rest of the transaction take for similar what is NEAR."""
    rows = await connection.fetch(
        """
        SELECT key, spelled(key), set_config('pg_trgm.word_similarity_threshold', $2, true)
          FROM unnest($1::text[]) WITH ORDINALITY AS given (text, place), folded(text) AS key ORDER BY place
        """,
        texts,
        str(NEAR),
    )
    return [Folded(row["key"], row["spelled"]) for row in rows]


async def found(connection: Connection, words: Sequence[Folded], begun: Sequence[str]) -> list[str]:
    """Every idea that holds all these words wherever, and what is `begun`, in ASCII, where a word begins."""
    # Through trigrams where there are any, and then by the letters themselves, since several are spelled alike.
    spelled = [word.spelled for word in words if word.spelled.isalnum() and len(word.spelled) > SHORT]
    looks = [("strpos(text_key, {}) > 0", word.key) for word in words]
    looks += [("text_spelled LIKE {}", f"%{word}%") for word in spelled]
    looks += [("text_spelled LIKE {}", f"% {word}%") for word in begun]
    conditions = " AND ".join(condition.format(f"${n}") for n, (condition, _) in enumerate(looks, start=1))
    return (
        await connection.fetchval(
            f"SELECT array_agg(feature_id) FROM idea_texts WHERE {conditions}",  # noqa: S608 - parameters by number
            *(value for _, value in looks),
        )
        or []
    )


async def by_trigrams(connection: Connection, spelled: str) -> list[Near]:
    """Ideas whose title has a stretch that looks like the spelled phrase."""
    rows = await connection.fetch(
        f"""
        WITH nearest AS (
            SELECT feature_id, title_spelled, near
              FROM (SELECT feature_id, title_spelled, word_similarity($1, title_spelled) AS near
                      FROM idea_texts WHERE $1 <% title_spelled) AS alike
                   JOIN ideas USING (feature_id)
             WHERE {ON_BOARD}
             ORDER BY near DESC, similarity($1, title_spelled) DESC, feature_id LIMIT $2)
        SELECT feature_id, (SELECT bool_and(word_similarity(word, title_spelled)
                                            >= CASE WHEN length(word) < 5 THEN {SHORT_SLIP} ELSE {NEAR} END)
                              FROM unnest($3::text[]) AS word) AS holds_all
          FROM nearest
        """,  # noqa: S608 - constants
        spelled,
        PLACES,
        spelled.split(),
    )
    return [Near(row["feature_id"], holds_all=row["holds_all"]) for row in rows]


async def by_words(connection: Connection, lexemes: Sequence[str], begun: str) -> list[str]:
    """Ideas with the most of these spelled words in their titles; the one that was `begun` last may be longer."""
    # ASCII letters and digits alone, between quotes: nothing that the language of queries knows.
    asked = " | ".join(f"'{word}'{':*' if word == begun and len(word) >= SHORT else ''}" for word in lexemes)
    rows = await connection.fetch(
        f"""
        SELECT feature_id FROM idea_texts JOIN ideas USING (feature_id)
         WHERE title_words @@ to_tsquery('simple', $1) AND {ON_BOARD}
         ORDER BY ts_rank(title_words, to_tsquery('simple', $1)) DESC, feature_id LIMIT $2
        """,  # noqa: S608 - a constant
        asked,
        PLACES,
    )
    return [row["feature_id"] for row in rows]


class Literal(NamedTuple):
    """Ideas by how much of what was asked for their titles contain, and how many contain all of it."""

    feature_ids: list[str]
    complete: int


async def by_pieces(connection: Connection, pieces: Sequence[str], begun: Sequence[str]) -> Literal:
    """Ideas whose titles contain the most letters of these folded pieces, wherever in a word they stand.

    Those `begun`, in ASCII, count where a word begins alone. Among equals whole words lead, and then short titles.
    """
    every = [*pieces, *begun]
    if not every:
        return Literal([], 0)
    contained = ["strpos(title_key, {}) > 0"] * len(pieces) + ["strpos(title_spelled, ' ' || {}) > 0"] * len(begun)
    worth = " + ".join(
        f"CASE WHEN {condition.format(f'${n}')} THEN 2 * length(${n}::text)"
        f" + (strpos(title_spelled, (SELECT ' ' || spelled(${n}) || ' ')) > 0)::integer ELSE 0 END"
        for n, condition in enumerate(contained, start=2)
    )
    rows = await connection.fetch(
        f"""
        SELECT feature_id, worth
          FROM (SELECT feature_id, {worth} AS worth, length(title_key) AS length FROM idea_texts) AS found
               JOIN ideas USING (feature_id)
         WHERE worth > 0 AND {ON_BOARD}
         ORDER BY worth DESC, length, feature_id LIMIT $1
        """,  # noqa: S608 - parameters by number, and a constant
        PLACES,
        *every,
    )
    letters = 2 * sum(map(len, every))
    return Literal([row["feature_id"] for row in rows], sum(row["worth"] >= letters for row in rows))


async def to_compare(connection: Connection, limit: int) -> list[str]:
    """Ideas that nobody has compared with the others; held, and no instance gets what another has."""
    rows = await connection.fetch(
        f"""
        SELECT feature_id FROM idea_texts JOIN ideas USING (feature_id)
         WHERE compared_at IS NULL AND {ON_BOARD}
         ORDER BY feature_id LIMIT $1 FOR UPDATE OF idea_texts SKIP LOCKED
        """,  # noqa: S608 - a constant
        limit,
    )
    return [row["feature_id"] for row in rows]


async def keep_lookalikes(connection: Connection, feature_ids: Sequence[str], least: float, now: datetime) -> None:
    """Compare the titles of these ideas with all others, and keep the pairs that are at least so similar."""
    await connection.execute(
        f"""
        INSERT INTO lookalikes AS kept (first_id, second_id, similarity)
        SELECT least(a.feature_id, b.feature_id), greatest(a.feature_id, b.feature_id),
               max(similarity(a.title_spelled, b.title_spelled))
          FROM idea_texts AS a
               JOIN idea_texts AS b ON a.title_spelled % b.title_spelled AND a.feature_id <> b.feature_id
               JOIN ideas ON ideas.feature_id = b.feature_id
         WHERE a.feature_id = ANY($1::text[]) AND similarity(a.title_spelled, b.title_spelled) >= $2 AND {ON_BOARD}
         GROUP BY 1, 2
        ON CONFLICT (first_id, second_id) DO UPDATE SET similarity = excluded.similarity
        """,  # noqa: S608 - a constant
        feature_ids,
        least,
    )
    await connection.execute(
        "UPDATE idea_texts SET compared_at = $2 WHERE feature_id = ANY($1::text[])", feature_ids, now
    )
