"""The benchmarks run; what they find is for people to look at."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.place import CHECKOUT

PATIENCE_SECONDS = 580


@pytest.mark.timeout(600)
def test_every_benchmark_runs(tmp_path: Path) -> None:
    """A small run of all parts ends, with service and loop at the same rows, and writes its results and plots."""
    subprocess.run(
        [sys.executable, "-m", "tests.bench", "--smoke", "--out", str(tmp_path)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results) == {"machine", "runs", "consume", "relay", "visible", "scale", "memory", "http"}
    assert results["consume"]["same rows"] is True
    assert {file.stem for file in tmp_path.glob("*.svg")} == {
        "consume",
        "relay",
        "relay-latency",
        "visible",
        "stored",
        "instances",
        "memory",
        "http",
        "http-beside",
    }
