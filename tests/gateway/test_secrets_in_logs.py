"""Nothing secret is written or answered, whatever fails, at the most talkative level."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from deploy.local import keys
from deploy.local.paths import Home
from shared.runtime.auth.tokens import issue
from tests.support.databases import create_database, drop_database, dsn_of
from tests.support.infra import ADMIN_DSN, free_port
from tests.support.platform import CHECKOUT

SECRET = "s3cr3t"
"""A part of everything that must stay secret."""


@contextmanager
def process(name: str, log: Path, **settings: str) -> Iterator[str]:
    """The service or the gateway as it is run, its output in `log`; gives its address."""
    port = free_port()
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("EARSHOT_")}
    settings |= {"EARSHOT_HTTP_PORT": str(port), "EARSHOT_LOG_LEVEL": "DEBUG"}
    with log.open("wb") as sink:
        running = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "serve", name],
            env=inherited | settings,
            cwd=CHECKOUT,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(30)


async def test_no_secret_is_written_or_answered(tmp_path: Path) -> None:
    """With a database, a Kafka and a provider that all refuse us, neither logs nor answers hold what must be secret."""
    home = Home(tmp_path / "home")
    home.create()
    database = urlsplit(os.environ[ADMIN_DSN])
    where = f"{database.hostname}:{database.port}/postgres"
    trusted = [{"issuer": "https://c.example", "jwks": "http://127.0.0.1:1/"}]
    common = {"EARSHOT_JWKS": str(keys.jwks(home)), "EARSHOT_TRUSTED_ISSUERS": json.dumps(trusted)}
    without_database = common | {
        "EARSHOT_DATABASE_DSN": f"postgresql://earshot_roadmap:dsn-{SECRET}@{where}",
        "EARSHOT_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "EARSHOT_KAFKA_USER": "earshot-roadmap",
        "EARSHOT_KAFKA_PASSWORD": f"kafka-{SECRET}",
        "EARSHOT_BOARD_OIDC_ISSUER": "http://127.0.0.1:1",
        "EARSHOT_BOARD_OIDC_CLIENT_ID": "board",
        "EARSHOT_BOARD_OIDC_CLIENT_SECRET": f"client-{SECRET}",
    }
    scratch = await create_database("kpi")
    admin = issue(
        keys.signing_key(home).read_bytes(),
        subject="ana",
        role="admin",
        lifetime=timedelta(hours=1),
        now=datetime.now(UTC),
    )
    without_kafka = without_database | {"EARSHOT_DATABASE_DSN": dsn_of(scratch, "kpi")}
    own = await create_database("webhooks")
    key = f"{SECRET}{'A' * 37}"
    with_webhooks = without_kafka | {"EARSHOT_DATABASE_DSN": dsn_of(own, "webhooks"), "EARSHOT_WEBHOOK_KEY": key}
    logs = {name: tmp_path / f"{name}.log" for name in ("roadmap", "kpi", "webhooks", "gateway")}
    with (
        process("roadmap", logs["roadmap"], **without_database) as roadmap,
        process("kpi", logs["kpi"], **without_kafka) as kpi,
        process("webhooks", logs["webhooks"], **with_webhooks) as webhooks,
        process(
            "gateway",
            logs["gateway"],
            **common,
            EARSHOT_DATABASE_DSN=f"postgresql://earshot_gateway:dsn-{SECRET}@{where}",
            EARSHOT_SERVICE_URLS=json.dumps({"roadmap": roadmap, "kpi": "http://127.0.0.1:1"}),
            EARSHOT_SIGNING_KEY=str(keys.signing_key(home)),
            EARSHOT_OIDC_ISSUER="http://127.0.0.1:1",
            EARSHOT_OIDC_CLIENT_ID="earshot",
            EARSHOT_OIDC_CLIENT_SECRET=f"client-{SECRET}",
        ) as gateway,
    ):
        async with httpx.AsyncClient(timeout=30) as client:
            for address in (roadmap, kpi, webhooks, gateway):
                await eventually(partial(alive, client, address))
            await eventually(partial(mentions, logs["kpi"], "127.0.0.1:1"))  # where Kafka should be
            answers = [await client.send(asked) for asked in requests(gateway, roadmap, kpi)]
            kept, *refused = [await client.send(asked) for asked in subscribing(webhooks, admin)]
            answers += refused
    await drop_database(scratch)
    await drop_database(own)
    written = [log.read_text() for log in logs.values()]
    assert kept.status_code == 201, kept.text
    receivers = kept.json()["secret"].removeprefix("whsec_")
    assert not [text for text in written if receivers in text], "a receiver's secret was written"
    assert sum("database is not reachable yet" in text for text in written) == 2, "the failures happened"
    assert all('"event": "request"' in text for text in written), "requests were logged"
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 422, 502, 503}
    for text in [*written, *(answer.text + str(answer.headers) for answer in answers)]:
        at = text.find(SECRET)
        assert at < 0, text[max(0, at - 300) : at + 100]


def requests(gateway: str, roadmap: str, kpi: str) -> Iterator[httpx.Request]:
    """Everything that carries a secret, to everything that may fail over it; asked by a person and by a program."""
    token = f"{SECRET}.{SECRET}.{SECRET}"
    carried: list[dict[str, str]] = [
        {},
        {"Authorization": f"Bearer {token}"},
        {"Cookie": f"earshot_session={SECRET}; earshot_sign_in={SECRET}.%2F; earshot_board_sign_in={SECRET}"},
    ]
    addresses = [
        f"{gateway}/sign-in?token={token}",
        f"{gateway}/sign-in/company",
        f"{gateway}/sign-in/callback?code={SECRET}&state={SECRET}",
        f"{gateway}/roadmap/sign-in/company",
        f"{gateway}/roadmap/sign-in/callback?code={SECRET}&state={SECRET}",
        f"{gateway}/roadmap/api/v1/ideas?token={SECRET}",
        f"{gateway}/roadmap/board?token={SECRET}",
        f"{gateway}/kpi/x?token={SECRET}",
        *(f"{at}{path}" for at in (gateway, roadmap, kpi) for path in ("/readyz", "/metrics", "/")),
    ]
    for accept in ("text/html", "application/json"):
        for headers in carried:
            yield from (httpx.Request("GET", url, headers={"Accept": accept} | headers) for url in addresses)
        for path, form in (
            (f"{gateway}/sign-in", {"token": token}),
            (f"{gateway}/sign-in", {"tokens": token}),
            (f"{roadmap}/board/x/vote", {"vote": SECRET}),
        ):
            yield httpx.Request("POST", path, data=form, headers={"Accept": accept})


def subscribing(webhooks: str, admin: str) -> Iterator[httpx.Request]:
    """One good subscription, whose secret may be answered this once, and others with a secret in every place."""
    url, types = "https://example.com/hook", ["earshot.FeatureVoted.v1"]
    for body in (
        {"url": url, "event_types": types},
        {"url": f"https://ana:{SECRET}@example.com/hook", "event_types": types},
        {"url": url, "event_types": types, "conditions": [{"field": SECRET, "operator": "exists"}], "secret": SECRET},
        {"url": url, "event_types": types, "secret": f"whsec_{SECRET}"},
    ):
        headers = {"Authorization": f"Bearer {admin}"}
        yield httpx.Request("POST", f"{webhooks}/api/v1/subscriptions", json=body, headers=headers)
    for path in ("/", "/readyz", "/metrics", "/api/v1/subscriptions"):
        yield httpx.Request("GET", f"{webhooks}{path}", headers={"Authorization": f"Bearer {admin}"})


def test_a_sealing_key_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    """A key that cannot be used is refused in words that do not hold it."""
    settings = {"EARSHOT_WEBHOOK_KEY": SECRET, "EARSHOT_KAFKA_BOOTSTRAP": "127.0.0.1:1", "EARSHOT_JWKS": str(tmp_path)}
    settings["EARSHOT_DATABASE_DSN"] = "postgresql://earshot_webhooks@127.0.0.1:1/earshot"
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}
    command = [sys.executable, "-m", "deploy.local", "serve", "webhooks"]
    done = subprocess.run(
        command, env=inherited | settings, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "must be 32 random bytes in URL-safe base64" in said
    assert SECRET not in said


async def eventually(found: Callable[[], Awaitable[bool]]) -> None:
    """Three processes start side by side with other tests: that may take its time."""
    deadline = time.monotonic() + 150
    while not await found():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def alive(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def mentions(log: Path, text: str) -> bool:
    return text in await asyncio.to_thread(log.read_text)
