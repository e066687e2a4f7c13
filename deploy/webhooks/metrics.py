"""What the adapter counts beside what every service counts."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge


class WebhookMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "earshot_webhook_attempts",
            "Attempts by outcome: delivered, again (it will be tried once more), failed (it was given up), gone (410)",
            ["outcome"],
            registry=registry,
        )
        self.pending = Gauge("earshot_webhook_pending", "Deliveries that wait", registry=registry)
        self.oldest = Gauge("earshot_webhook_oldest_seconds", "Age of the oldest of them", registry=registry)
        self.disabled = Gauge(
            "earshot_webhook_disabled",
            "Subscriptions that are disabled since nobody took their events",
            registry=registry,
        )


@cache
def metrics_in(registry: CollectorRegistry) -> WebhookMetrics:
    """One set for each registry, however often a job starts."""
    return WebhookMetrics(registry)
