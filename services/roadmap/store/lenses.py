"""The SQL of what other formulas ask for: estimates, Kano answers, and what customers pay."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from services.roadmap.priority.lenses import Estimates

if TYPE_CHECKING:
    from .connection import Connection

TYPED = tuple(item.name for item in fields(Estimates) if item.name != "kano")


class AccountPerson(NamedTuple):
    """A person, the account they belong to, and what it is worth."""

    person_id: str
    account_id: str
    value: float


async def estimates(connection: Connection, feature_ids: Collection[str] | None = None) -> dict[str, Estimates]:
    """What people estimated of these ideas, or of all; an idea without any is left out."""
    chosen = None if feature_ids is None else list(feature_ids)
    rows = await connection.fetch(
        "SELECT * FROM estimates WHERE $1::text[] IS NULL OR feature_id = ANY($1::text[])", chosen
    )
    found = {row["feature_id"]: Estimates(**{name: row[name] for name in TYPED}) for row in rows}
    answered = await connection.fetch(
        "SELECT * FROM kano_answers WHERE $1::text[] IS NULL OR feature_id = ANY($1::text[])", chosen
    )
    for row in answered:
        held = found.setdefault(row["feature_id"], Estimates())
        pair = row["functional"], row["dysfunctional"]
        found[row["feature_id"]] = replace(held, kano={**held.kano, pair: row["people"]})
    return found


async def keep_estimates(connection: Connection, feature_id: str, given: Estimates, now: datetime, who: str) -> None:
    """Keep what is estimated of an idea in place of what was."""
    await connection.execute(
        """
        INSERT INTO estimates (feature_id, impact, confidence, ease, value, criticality, risk, importance, satisfaction,
                               changed_at, changed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (feature_id) DO UPDATE
           SET impact = excluded.impact, confidence = excluded.confidence, ease = excluded.ease, value = excluded.value,
               criticality = excluded.criticality, risk = excluded.risk, importance = excluded.importance,
               satisfaction = excluded.satisfaction, changed_at = excluded.changed_at, changed_by = excluded.changed_by
        """,
        feature_id,
        *(getattr(given, name) for name in TYPED),
        now,
        who,
    )
    await connection.execute("DELETE FROM kano_answers WHERE feature_id = $1", feature_id)
    await connection.executemany(
        "INSERT INTO kano_answers (feature_id, functional, dysfunctional, people) VALUES ($1, $2, $3, $4)",
        [(feature_id, *pair, people) for pair, people in given.kano.items() if people > 0],
    )


async def estimates_changed(connection: Connection, feature_id: str) -> tuple[datetime, str] | None:
    """When and by whom the idea was last estimated."""
    row = await connection.fetchrow("SELECT changed_at, changed_by FROM estimates WHERE feature_id = $1", feature_id)
    return (row["changed_at"], row["changed_by"]) if row else None


async def revenue(connection: Connection, feature_ids: Collection[str] | None = None) -> dict[str, float] | None:
    """What the accounts behind these ideas, or all, are worth, each once per idea; None while no account is known."""
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM accounts)"):
        return None
    rows = await connection.fetch(
        """
        SELECT feature_id, sum(value) AS value
          FROM (SELECT DISTINCT feature_id, account_id FROM account_people JOIN supporters USING (person_id)
                 WHERE $1::text[] IS NULL OR feature_id = ANY($1::text[])) AS behind
               JOIN accounts USING (account_id)
         GROUP BY feature_id
        """,
        None if feature_ids is None else list(feature_ids),
    )
    return {row["feature_id"]: row["value"] for row in rows}


async def replace_accounts(connection: Connection, people: Iterable[AccountPerson]) -> int:
    """Take these as all accounts and their people; gives how many people were left out since they were erased."""
    given = list(people)
    await connection.execute("LOCK TABLE accounts IN EXCLUSIVE MODE")
    await connection.execute("DELETE FROM account_people")
    await connection.execute("DELETE FROM accounts")
    values: Mapping[str, float] = {one.account_id: one.value for one in given}
    await connection.execute(
        "INSERT INTO accounts (account_id, value) SELECT * FROM unnest($1::text[], $2::float8[])",
        list(values),
        list(values.values()),
    )
    status = await connection.execute(
        """
        INSERT INTO account_people (person_id, account_id)
        SELECT person_id, account_id FROM unnest($1::text[], $2::text[]) AS given (person_id, account_id)
         WHERE NOT EXISTS (SELECT FROM people WHERE people.person_id = given.person_id AND erased_at IS NOT NULL)
        """,
        [one.person_id for one in given],
        [one.account_id for one in given],
    )
    return len(given) - int(status.rsplit(" ", 1)[1])


async def forget_accounts(connection: Connection, person_id: str) -> int:
    """Remove to which account the erased person belongs; gives how many rows went."""
    # After an upload that began before has ended; a later one sees that the person is erased.
    await connection.execute("LOCK TABLE accounts IN SHARE MODE")
    status = await connection.execute("DELETE FROM account_people WHERE person_id = $1", person_id)
    return int(status.rsplit(" ", 1)[1])


async def count_accounts(connection: Connection) -> tuple[int, int, float]:
    """How many accounts are known, how many people belong to them, and what they are worth together."""
    row = await connection.fetchrow(
        """
        SELECT count(*), (SELECT count(*) FROM account_people), coalesce(sum(value), 0) FROM accounts
        """
    )
    assert row is not None
    return row[0], row[1], row[2]
