"""Prepares broker and database of a Docker host: topics, and every service's role and schema.

`python -m deploy.container.migrate FOLDER`, with the secrets in FOLDER as `deploy.container.secrets` wrote them.
"""

import logging
import sys
from pathlib import Path

from deploy.local.errors import Fault
from deploy.local.preparing import create_topics, kafka_settings, migrate_one
from services import DEPLOYABLE


def main(folder: Path) -> None:
    """Say what was done.

    Raises:
        Fault: a setting cannot be used, or broker or database refuse.
    """
    for topic in create_topics(kafka_settings()):
        print(f"topic {topic}")  # noqa: T201 - a job says what it does
    admin = _secret(folder / "migrate" / "earshot_migration_dsn")
    for service in (*DEPLOYABLE, "gateway"):
        dsn = _secret(folder / service / "earshot_database_dsn")
        for name in migrate_one(service, migration_dsn=admin, service_dsn=dsn):
            print(f"{service} {name}")  # noqa: T201


def _secret(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as fault:
        raise Fault(
            f"{file} cannot be read ({fault.strerror}); `python -m deploy.container.secrets` writes it."
        ) from None


if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())  # libraries' complaints reach people as our messages
    try:
        main(Path(sys.argv[1]))
    except Fault as wrong:
        print(f"migrate: {wrong}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
