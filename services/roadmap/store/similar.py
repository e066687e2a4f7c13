"""The SQL that finds ideas by what they say, in any language.

Three looks that fail differently: trigrams forgive slips, full text knows whole words, and plain infix finds the parts
of compounds and of scripts without spaces. All compare `folded` letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .connection import Connection

ON_BOARD = "status_version > 0 AND visibility = 'published' AND merged_into IS NULL"

PLACES = 30
"""How far down each look goes."""

NEAR = 0.4
"""Share of a phrase's trigrams that a title must have to be suggested: "dark theme" finds "Dark mode"."""

SLIP = 0.6
"""Share that a title must have to count as found."""

_UNQUOTED = re.compile(r"[\\%_]")
"""What LIKE would take for more than itself."""

SHORT = 3
"""Letters; a shorter word is looked for as it is, since too many begin with it."""


class Folded(NamedTuple):
    """Texts as searches compare them; `is_spelled` says whether the first has letters that trigrams know."""

    texts: list[str]
    is_spelled: bool


async def fold(connection: Connection, *texts: str) -> Folded:
    """Fold the texts, and have the rest of the transaction take for similar what is NEAR."""
    row = await connection.fetchrow(
        """
        SELECT array_agg(folded(text) ORDER BY place), coalesce(show_trgm(folded($1[1])) <> '{}', false),
               set_config('pg_trgm.word_similarity_threshold', $2, true)
          FROM unnest($1::text[]) WITH ORDINALITY AS given (text, place)
        """,
        texts,
        str(NEAR),
    )
    return Folded(row[0], is_spelled=row[1]) if row and row[0] else Folded([], is_spelled=False)


async def found(connection: Connection, phrase: str, words: Sequence[str], *, is_spelled: bool) -> list[str]:
    """Every idea that holds all these folded words, wherever, or whose title has the phrase but for a slip."""
    patterns = ["%" + _UNQUOTED.sub(r"\\\g<0>", word) + "%" for word in words]
    conditions = " AND ".join(f"text_key LIKE ${n}" for n in range(3, len(words) + 3))
    rows = await connection.fetch(
        f"""
        SELECT feature_id FROM idea_texts WHERE {conditions}
        UNION
        SELECT feature_id FROM idea_texts WHERE $2 AND $1 <% title_key AND word_similarity($1, title_key) >= {SLIP}
        """,  # noqa: S608 - parameters by number, and a constant
        phrase,
        is_spelled,
        *patterns,
    )
    return [row["feature_id"] for row in rows]


async def by_trigrams(connection: Connection, phrase: str) -> list[str]:
    """Ideas whose title has a stretch that looks like the folded phrase."""
    rows = await connection.fetch(
        f"""
        SELECT feature_id FROM idea_texts JOIN ideas USING (feature_id)
         WHERE $1 <% title_key AND {ON_BOARD}
         ORDER BY word_similarity($1, title_key) DESC, similarity($1, title_key) DESC, feature_id LIMIT $2
        """,  # noqa: S608 - a constant
        phrase,
        PLACES,
    )
    return [row["feature_id"] for row in rows]


async def by_words(connection: Connection, lexemes: Sequence[str], begun: str) -> list[str]:
    """Ideas with the most of these folded words in their titles; the one that was `begun` last may be longer."""
    # Letters and digits alone, between quotes: nothing that the language of queries knows.
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


async def by_pieces(connection: Connection, pieces: Sequence[str]) -> list[str]:
    """Ideas whose titles contain the most letters of these folded pieces, wherever in a word they stand."""
    numbered = range(2, len(pieces) + 2)
    letters = " + ".join(f"length(${n}::text) * (strpos(title_key, ${n}) > 0)::integer" for n in numbered)
    rows = await connection.fetch(
        f"""
        SELECT feature_id
          FROM (SELECT feature_id, {letters} AS letters, length(title_key) AS length FROM idea_texts) AS found
               JOIN ideas USING (feature_id)
         WHERE letters > 0 AND {ON_BOARD}
         ORDER BY letters DESC, length, feature_id LIMIT $1
        """,  # noqa: S608 - parameters by number, and a constant
        PLACES,
        *pieces,
    )
    return [row["feature_id"] for row in rows]


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
               max(similarity(a.title_key, b.title_key))
          FROM idea_texts AS a JOIN idea_texts AS b ON a.title_key % b.title_key AND a.feature_id <> b.feature_id
               JOIN ideas ON ideas.feature_id = b.feature_id
         WHERE a.feature_id = ANY($1::text[]) AND similarity(a.title_key, b.title_key) >= $2 AND {ON_BOARD}
         GROUP BY 1, 2
        ON CONFLICT (first_id, second_id) DO UPDATE SET similarity = excluded.similarity
        """,  # noqa: S608 - a constant
        feature_ids,
        least,
    )
    await connection.execute(
        "UPDATE idea_texts SET compared_at = $2 WHERE feature_id = ANY($1::text[])", feature_ids, now
    )
