"""Logs, metrics and traces of one service process."""

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

tracer = trace.get_tracer("earshot")

# Without the frames' variables: among them are tokens, passwords and what people said.
_exceptions = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


class Metrics:
    """The metrics every service has; one registry per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.handled = Counter(
            "earshot_events_handled",
            "Records by outcome: applied, duplicate or rejected",
            ["type", "outcome"],
            registry=self.registry,
        )
        self.miskeyed = Counter(
            "earshot_events_miskeyed",
            "Records whose key is not the contract's, so their order is not kept",
            ["type"],
            registry=self.registry,
        )
        self.expired = Counter(
            "earshot_events_expired",
            "Records that Kafka's retention took before they were handled",
            registry=self.registry,
        )
        self.retries = Counter("earshot_batch_retries", "Batches tried again after a fault", registry=self.registry)
        self.batch_records = Histogram(
            "earshot_batch_records",
            "Records in one batch",
            registry=self.registry,
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
        )
        self.batch_seconds = Histogram("earshot_batch_seconds", "Time to apply one batch", registry=self.registry)
        self.relayed = Counter("earshot_outbox_relayed", "Events published from the outbox", registry=self.registry)
        self.outbox_depth = Gauge("earshot_outbox_depth", "Events waiting in the outbox", registry=self.registry)
        self.outbox_age = Gauge("earshot_outbox_oldest_seconds", "Age of the oldest one", registry=self.registry)
        self.dead_letters = Gauge("earshot_dead_letters_open", "Dead letters nobody dealt with", registry=self.registry)
        self.lag = Gauge("earshot_consumer_lag", "Records not handled yet", registry=self.registry)
        self.lag_seconds = Gauge("earshot_consumer_lag_seconds", "Age of the oldest one", registry=self.registry)
        self.ready = Gauge("earshot_ready", "1 while /readyz says so, else 0", registry=self.registry)
        self.requests = Histogram(
            "earshot_http_request_seconds", "Time to answer", ["method", "route", "status"], registry=self.registry
        )


def start_tracing(service: str) -> None:
    """Give every span an id; where spans go is the deployment's choice of exporter."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider(resource=Resource.create({"service.name": service})))


def trace_headers() -> dict[str, str]:
    """The current trace as W3C headers, to be carried along with an event."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


@contextmanager
def span(name: str, carrier: Mapping[str, str]) -> Iterator[str]:
    """A span that continues the carrier's trace; gives its trace id."""
    with tracer.start_as_current_span(name, context=propagate.extract(carrier)) as current:
        yield trace.format_trace_id(current.get_span_context().trace_id)


def start_logging(service: str, *, form: str, level: str) -> None:
    """One line per record on standard output: JSON for machines, or coloured for people."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace_ids,
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if form == "console"
        else [_exceptions, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for noisy in ("aiokafka", "uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def _trace_ids(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event.setdefault("trace_id", trace.format_trace_id(context.trace_id))
        event.setdefault("span_id", trace.format_span_id(context.span_id))
    return event
