"""Dead letters as a rebuild sees them: what in the log went aside, and what was replayed since."""

from typing import TYPE_CHECKING

from . import headers
from .store import KeptRecord, record_of

if TYPE_CHECKING:
    from shared.runtime.database import Connection


async def aside(connection: "Connection", cluster: str) -> set[tuple[str, int, int]]:
    """Topic, partition and offset of every record that became a dead letter or joined one."""
    rows = await connection.fetch(
        """
        SELECT topic, partition, "offset" FROM dead_letters WHERE cluster = $1
         UNION ALL
        SELECT topic, partition, "offset" FROM dead_letter_repeats WHERE cluster = $1
        """,
        cluster,
    )
    return {(row["topic"], row["partition"], row["offset"]) for row in rows}


async def replayed(connection: "Connection") -> list[KeptRecord]:
    """The records that took effect from the dead letters, as they were mended, in that order."""
    rows = await connection.fetch(
        """
        SELECT letters.topic, letters.partition, letters."offset", edits.letter IS NOT NULL AS mended,
               letters.key, letters.value, letters.headers,
               edits.key AS mended_key, edits.value AS mended_value, edits.headers AS mended_headers
          FROM dead_letters AS letters
          LEFT JOIN LATERAL (SELECT * FROM dead_letter_edits
                              WHERE letter = letters.id ORDER BY dead_letter_edits.number DESC LIMIT 1) AS edits ON true
         WHERE letters.state = 'replayed' AND letters.value IS NOT NULL
         ORDER BY letters.closed_at, letters.number
        """
    )
    return [
        KeptRecord(
            row["topic"],
            row["partition"],
            row["offset"],
            row["mended_key"],
            row["mended_value"],
            headers.from_json(row["mended_headers"]),
        )
        if row["mended"]
        else record_of(dict(row))
        for row in rows
    ]
