"""Schemas and topics, with faults told as sentences."""

import asyncio
import os

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from deploy.local.errors import Fault
from shared.runtime import migrations, topics
from shared.runtime.kafka import why
from shared.runtime.settings import KafkaSettings, complaints


def required(name: str) -> str:
    """A setting of the environment.

    Raises:
        Fault: it is not set.
    """
    if value := os.environ.get(name):
        return value
    raise Fault(f"{name} is not set; this command is configured by the environment alone.")


def kafka_settings(bootstrap: str | None = None, *, prefix: str | None = None) -> KafkaSettings:
    """How the broker is reached; what is not given comes from the environment.

    Raises:
        Fault: a setting cannot be used.
    """
    given = {"kafka_bootstrap": bootstrap, "topic_prefix": prefix}
    try:
        return KafkaSettings.model_validate({name: text for name, text in given.items() if text is not None})
    except ValidationError as wrong:
        raise Fault("; ".join(complaints(wrong))) from None


def migrate_one(service: str, *, migration_dsn: str, service_dsn: str) -> list[str]:
    """Bring a service's schema up to date; returns the names of the applied files.

    Raises:
        Fault: the database refuses or does not answer.
    """
    try:
        return asyncio.run(migrations.migrate(service, migration_dsn=migration_dsn, service_dsn=service_dsn))
    except (migrations.MigrationError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as wrong:
        raise Fault(f"The schema of {service} could not be prepared: {wrong}") from wrong


def create_topics(settings: KafkaSettings) -> list[str]:
    """Create the missing topics; returns their names.

    Raises:
        Fault: the broker refuses or does not answer.
    """
    bootstrap = settings.kafka_bootstrap
    try:
        return asyncio.run(topics.create_topics(bootstrap, prefix=settings.topic_prefix))
    except (KafkaError, OSError, ValueError) as wrong:
        raise Fault(f"The topics could not be created on {bootstrap}: {why(wrong, settings)}") from wrong
