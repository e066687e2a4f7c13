"""The two things every service stands on, as faults see them."""

from collections.abc import Callable
from dataclasses import dataclass

import psutil

from deploy.local.kafka import Kafka
from deploy.local.postgres import Postgres
from tests.faults.ground import Ground
from tests.faults.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Side:
    """Broker or database: the check of /readyz that asks for it, the server, and each service's way there."""

    name: str
    check: str
    server: Callable[[Ground], Kafka | Postgres]
    proxies: Callable[[Ground], dict[str, Proxy]]
    slow_seconds: float

    def pid(self, ground: Ground) -> int:
        pid = self.server(ground).pid
        assert pid is not None, f"{self.name} does not run"
        return pid

    def processes(self, ground: Ground) -> list[psutil.Process]:
        """The server and all it started."""
        server = psutil.Process(self.pid(ground))
        return [server, *server.children(recursive=True)]


BROKER = Side("Kafka", "broker", lambda ground: ground.kafka, lambda ground: ground.kafka_proxies, 0.15)
DATABASE = Side("PostgreSQL", "database", lambda ground: ground.postgres, lambda ground: ground.postgres_proxies, 0.05)
