"""The Grafana dashboard, made of panels.yaml.

`python -m deploy.monitoring.dashboard write` writes dashboard.json anew, `check` says whether it is up to date.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from deploy.written import main

FOLDER = Path(__file__).parent
WIDTH, HEIGHT, COLUMNS = 8, 8, 24
SOURCE = {"type": "prometheus", "uid": "${source}"}


def documents() -> dict[str, str]:
    """Name and content of the file."""
    asked = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    panels = yaml.safe_load((FOLDER / "panels.yaml").read_text(encoding="utf-8"))
    dashboard = {
        "uid": "earshot",
        "title": "Earshot",
        "tags": ["earshot"],
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [asked]},
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }
    return {"dashboard.json": json.dumps(dashboard, indent=2) + "\n"}


def _panel(number: int, panel: dict[str, Any]) -> dict[str, Any]:
    row, column = divmod(number * WIDTH, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel["title"],
        "datasource": SOURCE,
        "gridPos": {"x": column, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.get("unit", "short"), "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + place), "expr": curve["expr"], "legendFormat": curve["legend"]}
            for place, curve in enumerate(panel["curves"])
        ],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], FOLDER, documents()))
