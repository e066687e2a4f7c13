"""Creates the declared topics; what exists already is left as it is."""

from aiokafka.admin import NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contract.topics import declared

from .kafka import admin
from .settings import KafkaSettings

COPIES = 3
"""Of every record, where there are as many brokers; a write needs two of them."""


async def create_topics(
    bootstrap: str | None = None, *, prefix: str | None = None, partitions: int | None = None
) -> list[str]:
    """Create what is missing and give its names; what is not given comes from the environment."""
    given = {"kafka_bootstrap": bootstrap, "topic_prefix": prefix}
    settings = KafkaSettings.model_validate({name: value for name, value in given.items() if value is not None})
    client = admin(settings)
    await client.start()
    try:
        present = set(await client.list_topics())
        missing = [topic for topic in declared(settings.topic_prefix, partitions) if topic.name not in present]
        if not missing:
            return []
        copies = min(COPIES, len((await client.describe_cluster())["brokers"]))
        durable = {"min.insync.replicas": str(max(1, copies - 1))}
        answer = await client.create_topics(
            [NewTopic(topic.name, topic.partitions, copies, topic_configs=topic.config | durable) for topic in missing]
        )
        for name, code, *message in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise for_code(code)(f"{name}: {message}")
        return [topic.name for topic in missing]
    finally:
        await client.close()
