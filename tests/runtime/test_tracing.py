"""One trace leads from a form through outbox and Kafka to every effect."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from fastapi import APIRouter
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.contract.events import KpiMeasured
from shared.runtime import Tx
from shared.runtime.kafka import onlooker
from shared.runtime.telemetry import processing, start_tracing, trace_headers
from tests.runtime.tiny import tiny_service
from tests.support.running import Stage, stage

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-00f067aa0ba902b7-01"
STRANGER = f"00-{OTHER}-b7ad6b7169203331-01"
DAY = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Every span of this process that ends from now on."""
    start_tracing("test")
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


@pytest.fixture
async def with_a_form(tmp_path: Path) -> AsyncIterator[Stage]:
    """A service that publishes a KpiMeasured when asked to, and a KpiImpactAssessed when it comes back from Kafka."""
    router = APIRouter()

    @router.post("/measure")
    async def measure(tx: Tx) -> None:
        await tx.publish(_measured())

    tiny = tiny_service()
    service = replace(tiny, routers=(*tiny.routers, router), public=tiny.public | {"POST /measure"})
    async with stage(service, tmp_path) as made:
        yield made


def _measured() -> KpiMeasured:
    return KpiMeasured(kpi_id="csat", period_start=DAY, period_end=DAY + timedelta(days=7), value=4.0, measured_at=DAY)


def _names(spans: Sequence[ReadableSpan], trace_id: str) -> set[str]:
    return {one.name for one in spans if one.context and trace.format_trace_id(one.context.trace_id) == trace_id}


async def test_a_trace_goes_from_a_form_to_the_effect_and_what_follows(
    with_a_form: Stage, spans: InMemorySpanExporter
) -> None:
    """Request, processing of the event it published, and the event published then are all in the caller's trace."""
    prefix = with_a_form.settings.topic_prefix
    async with with_a_form.run() as running:
        answer = await running.client.post("/measure", headers={"traceparent": CALLER})
        assert answer.is_success
        watching = onlooker(with_a_form.settings, [f"{prefix}earshot.kpi-impact-assessed.v1"], "earliest")
        await watching.start()
        try:
            record = await watching.getone()
        finally:
            await watching.stop()
    headers = dict(record.headers)
    carried = headers.get("traceparent") or headers["ce_traceparent"]
    assert carried.decode()[3:35] == TRACE
    seen = _names(spans.get_finished_spans(), TRACE)
    assert {"process earshot.kpi-measured.v1", "handle KpiMeasured"} <= seen
    assert any(name.startswith("POST") for name in seen)


def test_a_batch_of_many_traces_is_linked_to_each(spans: InMemorySpanExporter) -> None:
    """The span over several events belongs to no sender's trace and links to all of them; broken headers do no harm."""
    carriers = [{"traceparent": CALLER}, {"traceparent": STRANGER}, {}, {"traceparent": "nonsense"}]
    with processing("process votes", carriers):
        pass
    [span] = spans.get_finished_spans()
    assert span.context is not None
    assert trace.format_trace_id(span.context.trace_id) not in {TRACE, OTHER}
    assert {trace.format_trace_id(link.context.trace_id) for link in span.links} == {TRACE, OTHER}


def test_what_follows_an_event_of_a_batch_stays_in_that_events_trace(spans: InMemorySpanExporter) -> None:
    """Headers for a following event carry its cause's trace, not the batch's."""
    with processing("process votes", [{"traceparent": CALLER}, {"traceparent": STRANGER}]):
        assert trace_headers(STRANGER) == {"traceparent": STRANGER}
        assert trace_headers()["traceparent"][3:35] not in {TRACE, OTHER}
    with processing("process vote", [{"traceparent": CALLER}]):
        [_, trace_id, span_id, _] = trace_headers(CALLER)["traceparent"].split("-")
        assert trace_id == TRACE
        assert span_id != "00f067aa0ba902b7"
    assert len(spans.get_finished_spans()) == 2


PROGRAM = """
import asyncio
from shared.runtime.telemetry import span, start_tracing, stop_tracing
start_tracing("roadmap")
with span("a request", {}):
    pass
asyncio.run(stop_tracing())
"""


def test_spans_are_sent_where_the_environment_says() -> None:
    """With an OTLP endpoint a process sends its spans there before it ends, under the service's name."""
    received: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
        server.shutdown()
    [sent] = received
    [resource] = sent.resource_spans
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes["service.name"] == "earshot-roadmap"
    assert [span.name for span in resource.scope_spans[0].spans] == ["a request"]


def test_a_collector_that_is_away_does_not_hold_up_the_end() -> None:
    """The process ends in order, though nobody listens where its spans should go."""
    environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=False, timeout=60, capture_output=True
    )
    assert done.returncode == 0
