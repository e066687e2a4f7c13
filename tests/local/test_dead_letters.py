"""`earshot dead-letters` as an operator types it, against a service that answers over HTTP."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from shared.contract.events import KpiImpactAssessed, KpiMeasured
from tests.runtime.tiny import tiny_service
from tests.support.service import FakeRecord, ServiceUnderTest, service_under_test

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Run = Callable[..., Awaitable[subprocess.CompletedProcess[bytes]]]


def measured(kpi_id: str = "csat", value: float = 70) -> KpiMeasured:
    return KpiMeasured(
        kpi_id=kpi_id, period_start=NOON, period_end=NOON.replace(hour=13), value=value, measured_at=NOON
    )


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as service:
        yield service


@pytest.fixture
async def letters(tiny: ServiceUnderTest) -> AsyncIterator[Run]:
    """Runs `earshot dead-letters` against the service as if behind a gateway far away."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    far = Starlette(routes=[Mount("/kpi", tiny.app)])
    server = uvicorn.Server(uvicorn.Config(far, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    token = tiny.headers("admin", subject="ops")["Authorization"].removeprefix("Bearer ")
    environment = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}

    async def run(
        command: str, *arguments: str, given: bytes = b"", service: str = "kpi", token: str | None = token
    ) -> subprocess.CompletedProcess[bytes]:
        line = [sys.executable, "-m", "deploy.local", "dead-letters", command, *arguments]
        shown = {} if token is None else {"EARSHOT_TOKEN": token}
        return await asyncio.to_thread(
            subprocess.run,
            [*line, "--url", url, "--service", service],
            input=given,
            capture_output=True,
            env=environment | shown,
            timeout=60,
            check=False,
        )

    yield run
    server.should_exit = True
    await serving


async def ids(service: ServiceUnderTest) -> list[str]:
    return [str(row["id"]) for row in await service.database.fetch("SELECT id FROM dead_letters ORDER BY number")]


async def test_a_letter_is_found_mended_and_replayed(tiny: ServiceUnderTest, letters: Run) -> None:
    """List, show, edit from a file and replay lead from a broken record to its effect."""
    await tiny.deliver(tiny.record(measured("a", -1)), replace(tiny.record(measured("b", 5)), value=b'{"kpi_id": "b"}'))
    [_, broken] = await ids(tiny)
    listed = json.loads((await letters("list", "--key", "b", "--json")).stdout)
    assert [(one["service"], one["id"], one["key_text"]) for one in listed] == [("kpi", broken, "b")]
    assert (await letters("show", broken, "--value")).stdout == b'{"kpi_id": "b"}'
    shown = (await letters("show", broken)).stdout.decode()
    assert "It would be refused: period_start: Field required" in shown
    assert "ce_type: earshot.KpiMeasured.v1" in shown
    edited = await letters("edit", broken, "--value", "-", given=measured("b", 5).model_dump_json().encode())
    assert edited.stdout.decode().startswith("It can be replayed")
    replayed = await letters("replay", broken)
    assert (replayed.returncode, replayed.stdout.decode().splitlines()) == (
        0,
        [f"kpi        {broken} replayed", "1 replayed"],
    )
    assert [event.effect for event in await tiny.published(KpiImpactAssessed)] == [5]
    closed = json.loads((await letters("show", broken, "--json")).stdout)
    assert (closed["state"], closed["closed_by"]) == ("replayed", "ops")


async def test_headers_and_key_are_mended_one_by_one(tiny: ServiceUnderTest, letters: Run) -> None:
    """One header is set, one taken away, the others keep their bytes and places; the key is set and taken away."""
    headers = [("ce_id", b"\xff"), ("x", b"1"), ("ce_source", b"/s")]
    await tiny.deliver(FakeRecord("earshot.kpi-measured.v1", b"{}", headers, key=b"k", offset=1))
    [letter] = await ids(tiny)
    options = ["--header", "ce_type=a=b", "--header", "ce_source=/t", "--without-header", "x", "--key", "other"]
    assert (await letters("edit", letter, *options)).returncode == 0
    assert (await letters("edit", letter, "--no-key")).returncode == 0
    first, second = await tiny.database.fetch("SELECT key, headers FROM dead_letter_edits ORDER BY number")
    assert first["key"] == b"other"
    assert first["headers"] == [["ce_id", "/w=="], ["ce_source", "L3Q="], ["ce_type", "YT1i"]]
    assert (second["key"], second["headers"]) == (None, first["headers"])


async def test_many_are_settled_and_what_fails_is_told(tiny: ServiceUnderTest, letters: Run) -> None:
    """All that a filter finds are replayed; exit code 1 says that some are not done; then they are discarded."""
    await tiny.deliver(*(tiny.record(measured(kpi, -1)) for kpi in "aab"))
    replayed = await letters("replay", "--all", "--text", "negative")
    assert replayed.returncode == 1
    assert replayed.stdout.decode().splitlines()[-1] == "2 failed, 1 waits"
    discarded = await letters("discard", "--all", "--key", "a", "--reason", "a drill", "--json")
    assert discarded.returncode == 0
    assert [one["result"] for one in json.loads(discarded.stdout)] == ["discarded", "discarded"]
    assert (await letters("list")).stdout.decode().splitlines()[-1] == "1 letter"


async def test_hostile_records_do_nothing_to_a_terminal(tiny: ServiceUnderTest, letters: Run) -> None:
    """Escape sequences in keys, types, headers and values are printed as signs."""
    evil = b"\x1b]0;owned\x07\x1b[2J"
    await tiny.deliver(FakeRecord("earshot.kpi-measured.v1", evil, [("ce_id", evil), ("ce_type", evil)], key=evil))
    [letter] = await ids(tiny)
    for printed in (await letters("list"), await letters("show", letter)):
        assert printed.returncode == 0
        assert b"\x1b" not in printed.stdout
        assert b"\x07" not in printed.stdout
        assert rb"\x1b]0;owned" in printed.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["replay"], "name letters by their ids, or take --all"),
        (["replay", "--key", "a", "00000000-0000-4000-8000-000000000000"], "name letters by their ids, or take --all"),
        (["replay", "--all", "00000000-0000-4000-8000-000000000000"], "name letters by their ids, or take --all"),
        (["discard", "--all"], "--reason"),
        (["edit", "00000000-0000-4000-8000-000000000000", "--header", "x"], "NAME=TEXT"),
        (["show", "12"], "not a valid UUID"),
    ],
)
async def test_wrong_usage_ends_with_two(letters: Run, arguments: list[str], words: str) -> None:
    """A command line that makes no sense touches nothing and says what to write."""
    done = await letters(*arguments)
    assert done.returncode == 2
    assert words in done.stderr.decode()


async def test_what_is_refused_is_one_sentence(tiny: ServiceUnderTest, letters: Run) -> None:
    """No token, a bad one, an unknown letter and a wrong filter end with exit code 1 and a line that says so."""
    await tiny.deliver(measured(value=-1))
    unknown = "00000000-0000-4000-8000-000000000000"
    viewer = tiny.headers("viewer")["Authorization"].removeprefix("Bearer ")
    for done, words in (
        (await letters("list", token=None), "EARSHOT_TOKEN is not set"),
        (await letters("list", token="nonsense"), "The token is not accepted"),
        (await letters("list", token=viewer), "This needs the role admin"),
        (await letters("show", unknown), f"There is no dead letter {unknown} in kpi."),
        (await letters("list", "--since", "yesterday"), "since: must be a date and a time"),
        (await letters("list", service="roadmap"), "roadmap answers 404"),
    ):
        assert done.returncode == 1
        assert words in done.stderr.decode()
        assert len(done.stderr.decode().splitlines()) == 1
