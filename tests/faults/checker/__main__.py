"""`python -m tests.faults.checker FILE`: FILE says in JSON where broker, database and ledger are.

Prints one JSON object with findings and counts; exit code 1 when there are findings.
"""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults import ledger
from tests.faults.checker import database
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.findings import Finding
from tests.faults.checker.log import Log
from tests.faults.checker.quiet import until_quiet
from tests.faults.checker.verdict import judge

PATIENCE_SECONDS = 240.0


async def check(world: dict[str, str], patience: float = PATIENCE_SECONDS) -> tuple[list[Finding], dict[str, Any]]:
    """Wait for quiet, gather everything, judge."""
    connection = await database.connect(world["dsn"])
    log = Log(world["bootstrap"], world["prefix"])
    try:
        restless = await until_quiet(connection, log, world["prefix"], patience)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            evidence = Evidence(
                ledger=ledger.read(Path(world["ledger"])),
                log=await asyncio.to_thread(lambda: list(log.records())),
                effects=await database.effects(connection),
                letters=await database.letters(connection, world["prefix"]),
                rows=await database.rows(connection),
            )
    finally:
        await connection.close()
        log.close()
    return [*restless, *judge(evidence)], _counts(evidence)


def _counts(evidence: Evidence) -> dict[str, Any]:
    return {
        "published": len(evidence.ledger.entries),
        "acknowledged": len(evidence.ledger.places),
        "in the log": len(evidence.log),
        "effects": len(evidence.effects),
        "dead letters": len(evidence.letters),
        "published again by relays": evidence.repeats(),
    }


def main() -> None:
    world = json.loads(Path(sys.argv[1]).read_text())
    findings, counts = asyncio.run(check(world))
    print(json.dumps({"findings": [asdict(one) for one in findings], "counts": counts}, indent=2))  # noqa: T201
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
