"""Alerts and dashboard ask Prometheus for what the services really export."""

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from deploy import monitoring
from deploy.monitoring import dashboard
from deploy.webhooks.metrics import WebhookMetrics
from deploy.written import main
from services import SERVICES
from services.scheduling.watching import overdue_in
from shared.runtime.telemetry import Metrics

FOLDER = Path(monitoring.__file__).parent
HANDBOOK = FOLDER.parents[1] / "docs" / "operations.md"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [
    target["expr"].replace("$__rate_interval", "5m") for panel in PANELS for target in panel["targets"]
]


def _exported() -> dict[str, set[str]]:
    """Every sample name of a deployable, with its labels."""
    registry = Metrics().registry
    WebhookMetrics(registry)
    overdue_in(registry)
    found: dict[str, set[str]] = {}
    for collector in list(registry._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in registry._collector_to_names[collector]:
            found[name] = labels
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_promql_about_metrics_that_exist(expression: str) -> None:
    """Each parses, and names only metrics and labels that a service exports or the scrape configuration adds."""
    promql_parser.parse(expression)
    exported = _exported()
    names = re.findall(r"\bearshot_\w+", expression)
    assert [name for name in names if name not in exported] == []
    known = {"service", "le"}.union(*(exported[name] for name in names))
    asked = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    asked |= set(re.findall(r"[{,]\s*(\w+)\s*(?:=|!=|=~|!~)", expression))
    assert asked <= known


@pytest.mark.parametrize("broken", ["sum by (service (earshot_ready)", "rate(earshot_ready[5 m)", "earshot_ready >"])
def test_a_mistyped_expression_is_found(broken: str) -> None:
    """The parser refuses what Prometheus would refuse."""
    with pytest.raises(ValueError, match=r"."):
        promql_parser.parse(broken)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_and_the_handbook_what_to_do(rule: dict[str, Any]) -> None:
    """An alert has a severity, a sentence, and a section of its own in the operations handbook."""
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    assert f"\n### {rule['alert']}\n" in HANDBOOK.read_text(encoding="utf-8")


def test_the_handbook_explains_no_alert_that_does_not_exist() -> None:
    """Every section about an alert is about one that can fire."""
    explained = re.findall(r"^### (Earshot\w+)$", HANDBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(rule["alert"] for rule in ALERTS)


def test_every_metric_is_on_the_dashboard() -> None:
    """Whatever a service measures can be seen without writing a query."""
    shown = {name for target in EXPRESSIONS for name in re.findall(r"\bearshot_\w+", target)}
    families = {re.sub(r"_(total|created|bucket|sum|count)$", "", name) for name in _exported()}
    assert {name for name in families if not any(one.startswith(name) for one in shown)} == set()


def test_the_dashboard_is_up_to_date_and_its_panels_are_told_apart() -> None:
    """The committed file is the generated one; panels have ids of their own and do not overlap."""
    assert main("check", FOLDER, dashboard.documents()) == 0
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS}) == len(PANELS)


def test_prometheus_is_told_of_every_service() -> None:
    """The scrape configuration for one Docker host names all services."""
    jobs = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    named = {entry["labels"]["service"] for entry in jobs[0]["static_configs"]}
    assert set(SERVICES) <= named
