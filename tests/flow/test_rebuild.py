"""Each of the five services, built again from the log, is what it was."""

from pathlib import Path

import pytest

from services import SERVICES
from shared.runtime.recovery.rebuild import Report, rebuild
from shared.runtime.serve import load
from tests.flow.story import publish, story
from tests.support.catching_up import ask, change, run_through
from tests.support.running import Stage, stage

DAMAGE = {
    "scheduling": "UPDATE notices SET title = 'wrong' WHERE state <> 'told'; DELETE FROM held_sessions",
    "sessions": "DELETE FROM sessions WHERE state = 'cancelled' AND erased_at IS NULL",
    "insights": "UPDATE features SET title = 'wrong'; DELETE FROM impacts",
    "roadmap": "DELETE FROM votes WHERE voter_id < 'v2'; UPDATE support_counts SET people = people + 1",
    "kpi": "UPDATE measurements SET value = 1; DELETE FROM evidence; UPDATE features SET title = 'wrong'",
}

DEEDS = {
    "scheduling": "UPDATE notices SET state = 'told', told_at = now(), told_by = 'ana' WHERE participant_id < 'p12'",
    "sessions": """
        INSERT INTO notes (note_id, session_id, author, kind, text, written_at)
        SELECT session_id, session_id, 'ana', 'note', 'words', now() FROM sessions WHERE erased_at IS NULL LIMIT 9
        """,
    "insights": """
        INSERT INTO insights (insight_id, version, withdrawn, session_id, participant_id, tags, importance, coder_id,
                              tagged_at)
        SELECT session_id, 1, false, session_id, participant_id, '{}', 1, 'ana', now() FROM sessions LIMIT 9
        """,
    "roadmap": """
        UPDATE ideas SET title = 'Named', status = 'declined', status_version = 3, status_changed_at = '2026-01-05'
         WHERE feature_id < 'f4';
        INSERT INTO population (cell, customers) VALUES ('–|team|eu', 100)
        """,
    "kpi": "UPDATE kpis SET due = '2027-01-01' WHERE target IS NOT NULL; UPDATE kpis SET name = 'Named'",
}
"""What people do at the services' pages, as it lies in their tables."""


async def rebuilt(staged: Stage, *, check: bool = False) -> Report:
    dsn = staged.settings.database_dsn.get_secret_value()
    return await rebuild(staged.service, dsn, staged.settings, check=check)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", SERVICES)
async def test_a_rebuilt_service_is_what_it_was(name: str, seed: int, tmp_path: Path) -> None:
    """Over random histories with repeats and late events every table ends equal, and nothing is published again."""
    async with stage(load(name), tmp_path) as staged:
        publish(staged.settings, story(seed), seed=seed)
        await run_through(staged)
        await change(staged, DEEDS[name])
        report = await rebuilt(staged)
        assert report.differing == []
        assert report.repeated > 50
        assert report.refused == []
        assert await ask(staged, "SELECT count(*) FROM outbox") == 0
        # What was rebuilt goes on where it was: nothing is handled twice and nothing is missed.
        publish(staged.settings, story(seed + 100)[:50], seed=seed, named="later")
        await run_through(staged)
        assert (await rebuilt(staged, check=True)).differing == []


@pytest.mark.parametrize("name", SERVICES)
async def test_a_rebuild_mends_what_was_damaged(name: str, tmp_path: Path) -> None:
    """Derived rows that were deleted or changed by hand come back as they were."""
    async with stage(load(name), tmp_path) as staged:
        publish(staged.settings, story(3), seed=3)
        await run_through(staged)
        sound = (await rebuilt(staged, check=True)).before
        await change(staged, DAMAGE[name])
        damaged = await rebuilt(staged, check=True)
        assert damaged.differing
        assert damaged.after == sound
        assert (await rebuilt(staged)).before == damaged.before
        assert (await rebuilt(staged, check=True)).before == sound
