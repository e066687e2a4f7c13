"""Prepares broker and database of a Docker host: topics, and every service's role and schema.

`python -m deploy.container.migrate FOLDER`, with the secrets in FOLDER as `deploy.container.secrets` wrote them.
"""

import asyncio
import sys
from pathlib import Path

from services import DEPLOYABLE
from shared.runtime.migrations import migrate
from shared.runtime.topics import create_topics


async def main(folder: Path) -> None:
    for topic in await create_topics():
        print(f"topic {topic}")  # noqa: T201 - a job says what it does
    admin = (folder / "migrate" / "earshot_migration_dsn").read_text()
    for service in (*DEPLOYABLE, "gateway"):
        dsn = (folder / service / "earshot_database_dsn").read_text()
        for name in await migrate(service, migration_dsn=admin, service_dsn=dsn):
            print(f"{service} {name}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
