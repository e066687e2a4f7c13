"""Rows that were there before a migration, and what they are after it."""

import asyncpg
import pytest

from shared.runtime import migrations
from tests.support.databases import drop_database, dsn_of, empty_database

ROWS = """
    INSERT INTO ideas (feature_id, title, status_changed_at, supporters, created_at) VALUES
        ('export', 'Export', '2026-01-05T09:00Z', 3, '2026-01-05T09:00Z'),
        ('theme', 'Theme', '2026-01-05T09:00Z', 1, '2026-01-05T09:00Z');
    INSERT INTO people (person_id, cell, segment, seen_at, erased_at) VALUES
        ('ana', 'team', '{"plan": "team"}', '2026-01-06T09:00Z', NULL),
        ('ben', 'free', '{"plan": "free"}', '2026-01-06T09:00Z', NULL),
        ('cleo', 'team', '{"plan": "team"}', '2026-01-06T09:00Z', NULL),
        ('gone', NULL, NULL, '2026-01-06T09:00Z', '2026-01-07T09:00Z');
    INSERT INTO active_counts (cell, people) VALUES ('team', 2), ('free', 1);
    INSERT INTO votes (feature_id, voter_id, vote, voted_at, voter_kind, channel) VALUES
        ('export', 'ana', 'up', '2026-01-06T09:00Z', 'customer', 'board'),
        ('export', 'cleo', 'withdrawn', '2026-01-06T09:00Z', 'customer', 'board'),
        ('theme', 'ana', 'up', '2026-01-06T09:00Z', 'team', 'board');
    INSERT INTO insights (insight_id, version, withdrawn, feature_id, participant_id, importance, tagged_at) VALUES
        ('i1', 1, false, 'export', 'ana', 3, '2026-01-06T09:00Z'),
        ('i2', 2, false, 'export', 'ben', 0, '2026-01-06T09:00Z'),
        ('i3', 1, false, 'export', 'cleo', 2, '2026-01-06T09:00Z');
    INSERT INTO supporters (feature_id, person_id, cell, importance) VALUES
        ('export', 'ana', 'team', 3), ('export', 'ben', 'free', 0), ('export', 'cleo', 'team', 2),
        ('theme', 'ana', 'team', NULL);
    INSERT INTO support_counts (feature_id, cell, people, importance_sum, importance_people) VALUES
        ('export', 'team', 2, 5, 2), ('export', 'free', 1, 0, 1), ('theme', 'team', 1, 0, 0);
    INSERT INTO priorities (feature_id, version, score, changed_at) VALUES ('export', 4, 1.5, '2026-01-06T09:00Z');
"""
SUPPORTERS = [("export", "ana", "team", 3), ("export", "ben", "free", 0), ("export", "cleo", "team", 2)]
UNHEARD = ("theme", "ana", "team", None)


async def migrated(database: str) -> list[str]:
    return await migrations.migrate("roadmap", migration_dsn=dsn_of(database), service_dsn=dsn_of(database, "roadmap"))


async def test_supporters_become_what_votes_and_words_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first schema with rows to the present one: the same people support the same ideas, counted the same."""
    database = await empty_database()
    files = migrations._files

    def oldest(package: str) -> list[tuple[str, str]]:
        return [(name, text) for name, text in files(package) if name.startswith(("shared/", "own/0001"))]

    with monkeypatch.context() as release:
        release.setattr(migrations, "_files", oldest)
        assert (await migrated(database))[-1] == "own/0001_roadmap.sql"
    admin = await asyncpg.connect(dsn_of(database), server_settings={"search_path": "roadmap, public"})
    try:
        await admin.execute(ROWS)
        assert "own/0002_due_scores.sql" in await migrated(database)

        async def rows(query: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in await admin.fetch(query)]

        standing = "SELECT feature_id, person_id, cell, importance FROM supporters ORDER BY feature_id, person_id"
        assert await rows(standing) == [*SUPPORTERS, UNHEARD]
        words = "SELECT feature_id, person_id, importance FROM words ORDER BY feature_id, person_id"
        assert await rows(words) == [("export", "ana", 3), ("export", "ben", 0), ("export", "cleo", 2)]
        votes = "SELECT feature_id, voter_id, vote FROM votes ORDER BY feature_id, voter_id"
        assert await rows(votes) == [("export", "ana", "up"), ("export", "cleo", "withdrawn"), ("theme", "ana", "up")]
        assert await rows("SELECT feature_id, supporters FROM ideas ORDER BY feature_id") == [
            ("export", 3),
            ("theme", 1),
        ]
        assert await rows("SELECT feature_id, version, score FROM priorities") == [("export", 4, 1.5)]
        assert await rows("SELECT person_id FROM people WHERE erased_at IS NOT NULL") == [("gone",)]
        counted = """
            SELECT feature_id, cell, count(*), coalesce(sum(importance), 0), count(importance)
              FROM supporters GROUP BY feature_id, cell
            """
        kept = "SELECT feature_id, cell, people, importance_sum, importance_people FROM support_counts"
        assert sorted(await rows(counted)) == sorted(await rows(kept))
    finally:
        await admin.close()
        await drop_database(database)
