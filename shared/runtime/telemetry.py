"""Logs, metrics and traces of one service process."""

import asyncio
import itertools
import logging
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

tracer = trace.get_tracer("earshot")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORT_SECONDS = 2
MOST_LINKS = 100

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
        self.held = Gauge(
            "earshot_partitions_held",
            "Partitions not consumed, since records expired in Kafka before they were handled",
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
        self.mails_waiting = Gauge("earshot_mails_waiting", "Mails not sent yet", registry=self.registry)
        self.mails_failed = Gauge("earshot_mails_failed", "Mails refused for good", registry=self.registry)
        self.mails_age = Gauge("earshot_mails_oldest_seconds", "Age of the oldest waiting mail", registry=self.registry)
        self.mended = Counter(
            "earshot_counters_mended",
            "Counters that were not what a recount gave, and were set right",
            ["counter"],
            registry=self.registry,
        )
        self.job_faults = Counter(
            "earshot_job_faults", "Faults after which a job began anew", ["job"], registry=self.registry
        )
        self.ready = Gauge("earshot_ready", "1 while /readyz says so, else 0", registry=self.registry)
        self.requests = Histogram(
            "earshot_http_request_seconds", "Time to answer", ["method", "route", "status"], registry=self.registry
        )


def start_tracing(service: str) -> None:
    """Give every span an id, and send spans where OpenTelemetry's own variables say, if they do."""
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"earshot-{service}"}))
    if any(os.environ.get(name) for name in ENDPOINTS):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - megabytes, seldom needed
            OTLPSpanExporter,
        )

        # A collector that is away must not hold up a stop.
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_SECONDS)))
    trace.set_tracer_provider(provider)


async def stop_tracing() -> None:
    """Send what waits; called after everything that makes spans has stopped."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        await asyncio.to_thread(provider.force_flush, EXPORT_SECONDS * 1000)


def trace_headers(cause: str | None = None) -> dict[str, str]:
    """W3C headers to be carried along with an event: the current span's, or its cause's where that is another trace."""
    if not trace.get_current_span().get_span_context().is_valid:
        return {"traceparent": cause} if cause else {}
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    if cause is not None and _trace_of(cause) != _trace_of(carrier.get("traceparent", "")):
        return {"traceparent": cause}
    return carrier


def _trace_of(traceparent: str) -> str:
    return traceparent[3:35]


@contextmanager
def span(name: str, carrier: Mapping[str, str]) -> Iterator[str]:
    """A span that continues the carrier's trace; gives its trace id."""
    with tracer.start_as_current_span(name, context=propagate.extract(carrier)) as current:
        yield trace.format_trace_id(current.get_span_context().trace_id)


@contextmanager
def continued(name: str, carrier: Mapping[str, str]) -> Iterator[None]:
    """A span in the carrier's trace where it has one, else nothing of its own."""
    if "traceparent" not in carrier:
        yield
        return
    with span(name, carrier):
        yield


@contextmanager
def processing(name: str, carriers: Sequence[Mapping[str, str]]) -> Iterator[None]:
    """A span over several messages: part of the one's trace, or linked to those of many."""
    if len(carriers) == 1:
        with span(name, carriers[0]):
            yield
        return
    found = {carrier["traceparent"] for carrier in carriers if "traceparent" in carrier}
    links = [
        trace.Link(context)
        for parent in itertools.islice(found, MOST_LINKS)
        if (context := trace.get_current_span(propagate.extract({"traceparent": parent})).get_span_context()).is_valid
    ]
    with tracer.start_as_current_span(name, context=Context(), links=links):
        yield


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
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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
