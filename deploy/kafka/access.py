"""What each service may do in Kafka: exactly what the contract says of it, so that a stolen password opens little."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services import SERVICES
from shared.contract.catalogue import EVENTS, OF_THE_RUNTIME

READ_EVERYTHING: tuple[str, ...] = ("webhooks",)
"""They pass events on to whoever subscribed, and publish nothing but what every deployable does."""

Operation = Literal["Describe", "Read", "Write"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What one user may do with one topic or consumer group."""

    user: str
    resource: Literal["topic", "group"]
    name: str
    operations: tuple[Operation, ...]


def user_of(service: str) -> str:
    return f"earshot-{service}"


def grants(prefix: str = "") -> list[Grant]:
    """Everything the services need, and nothing else; `prefix` is that of the topics."""
    return [grant for service in (*SERVICES, *READ_EVERYTHING) for grant in _grants_of(service, prefix)]


def _grants_of(service: str, prefix: str) -> Iterator[Grant]:
    for event in EVENTS.values():
        reads = service in READ_EVERYTHING or service in event.consumers
        writes = service in event.publishers or (service in READ_EVERYTHING and event.model in OF_THE_RUNTIME)
        operations: dict[Operation, bool] = {"Read": reads, "Write": writes}
        if allowed := tuple(operation for operation, given in operations.items() if given):
            # An idempotent producer needs no right of its own for that; Describe is what tells where partitions are.
            yield Grant(user_of(service), "topic", f"{prefix}{event.topic}", ("Describe", *allowed))
    yield Grant(user_of(service), "group", f"{prefix}{service}", ("Read",))


def as_commands(given: Sequence[Grant], *, bootstrap: str) -> list[str]:
    """The grants as calls of Kafka's own `kafka-acls.sh`, for a Kafka without an operator."""
    return [
        " ".join(
            [
                f"kafka-acls.sh --bootstrap-server {bootstrap} --command-config admin.properties --add",
                f"--allow-principal User:{grant.user}",
                *(f"--operation {operation}" for operation in grant.operations),
                f"--{grant.resource} {grant.name}",
            ]
        )
        for grant in given
    ]
