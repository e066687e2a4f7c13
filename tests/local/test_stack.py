import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import preparing
from deploy.local.errors import Fault
from deploy.local.installation import Installation
from deploy.local.paths import Home, Ports
from deploy.local.stack import SERVING, Stack

HEALTHY = """
import http.server, sys
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ready": true, "checks": {}, "lag": 0, "outbox": 2, "dead_letters": 1}')
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""


class LightStack(Stack):
    """Starts small web servers in place of the services; a name in `broken` ends at once."""

    broken: frozenset[str] = frozenset()

    def start_serving(self, name: str) -> None:
        code = "print('no such table')" if name in self.broken else HEALTHY
        port = self._port(name)
        command = [sys.executable, "-c", code, str(port)]
        self.processes.start(name, command, environment=self.installation.environment(name), port=port)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_block: Callable[[], int]) -> Installation:
    """An installation whose broker and database are somebody else's and need no preparation."""
    monkeypatch.setattr(preparing, "migrate_one", lambda *_arguments, **_settings: [])
    monkeypatch.setattr(preparing, "create_topics", lambda *_arguments, **_settings: [])
    return Installation(
        home=Home(tmp_path / "home"),
        cache=tmp_path / "cache",
        ports=Ports(free_block()),
        topic_prefix="",
        external_broker="kafka.example:9092",
        external_admin_dsn="postgresql://admin:secret@db.example/earshot",
    )


@pytest.fixture
def stack(installation: Installation) -> Iterator[LightStack]:
    started = LightStack(installation, say=lambda _: None)
    yield started
    started.down()


def pids(stack: Stack) -> dict[str, int | None]:
    return {name: stack.processes.pid(name) for name in SERVING}


def test_a_second_up_restarts_only_what_is_missing(stack: LightStack) -> None:
    """After kill -9 of one service the next up starts that one and leaves the others running."""
    stack.up()
    first = pids(stack)
    killed = psutil.Process(first["insights"] or 0)
    killed.kill()
    psutil.wait_procs([killed], timeout=5)
    stack.up()
    second = pids(stack)
    assert [name for name in SERVING if first[name] != second[name]] == ["insights"]
    assert None not in second.values()


def test_status_tells_what_the_services_say(stack: LightStack) -> None:
    """The status of a running service has its pid and the numbers of its readiness report."""
    stack.up()
    kpi = stack.status()["services"]["kpi"]
    assert kpi["pid"] == stack.processes.pid("kpi")
    assert (kpi["ready"], kpi["lag"], kpi["outbox"], kpi["dead_letters"]) == (True, 0, 2, 1)


def test_down_stops_everything(stack: LightStack) -> None:
    """After down no process of the installation runs."""
    stack.up()
    stack.down()
    assert set(pids(stack).values()) == {None}


def test_down_erase_leaves_nothing(stack: LightStack) -> None:
    """Erasing stops everything and removes the state folder."""
    stack.up()
    stack.down(erase=True)
    assert not stack.installation.home.root.exists()


def test_a_service_that_dies_at_its_start_is_told_with_its_last_words(stack: LightStack) -> None:
    """Up fails with the service's name, what it said last and where its log is."""
    stack.broken = frozenset({"roadmap"})
    with pytest.raises(Fault, match=r"(?s)roadmap stopped during its start\..*no such table.*roadmap\.log"):
        stack.up()


def test_a_failed_up_is_mended_by_the_next(stack: LightStack) -> None:
    """What was started before a failure keeps running, and the next up starts only the rest."""
    stack.broken = frozenset({"kpi"})
    with pytest.raises(Fault):
        stack.up()
    scheduling = stack.processes.pid("scheduling")
    stack.broken = frozenset()
    stack.up()
    assert stack.processes.pid("scheduling") == scheduling
    assert stack.status()["services"]["kpi"]["ready"]


def test_no_serving_process_is_given_the_administrators_access(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the superuser's DSN nor the signing key reaches a service; the gateway alone may sign."""
    installation.home.create()
    for name in ("EARSHOT_ADMIN_DSN", "EARSHOT_MIGRATION_DSN", "EARSHOT_SIGNING_KEY"):
        monkeypatch.setenv(name, "secret")
    service, gateway = installation.environment("kpi"), installation.environment("gateway")
    assert "secret" not in {*service.values(), *gateway.values()}
    assert "EARSHOT_SIGNING_KEY" not in service
    assert gateway["EARSHOT_DATABASE_DSN"].startswith("postgresql://earshot_gateway:")
    assert service["EARSHOT_DATABASE_DSN"].startswith("postgresql://earshot_kpi:")


def test_a_secret_of_one_is_given_to_no_other(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the gateway or only the roadmap needs reaches neither the other nor a third."""
    installation.home.create()
    owners = {
        "EARSHOT_OIDC_CLIENT_SECRET": "gateway",
        "EARSHOT_BOARD_OIDC_CLIENT_SECRET": "roadmap",
        "EARSHOT_BOARD_KEYS": "roadmap",
    }
    for name in owners:
        monkeypatch.setenv(name, "secret")
    for process in ("gateway", "roadmap", "kpi"):
        given = {name for name, text in installation.environment(process).items() if text == "secret"}
        assert given == {name for name, owner in owners.items() if owner == process}
