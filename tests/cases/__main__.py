"""Run the known-answer cases of a folder: `python -m tests.cases FOLDER [--data FOLDER]`."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cases import NotAnswered
from tests.cases.comparison import judge

BESIDE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared"

COMPARISON_ONLY = frozenset(
    {
        "astuto_hotness",
        "fider_trending",
        "quackback_inbox_priority",
        "productboard_customer_importance",
        "vader_compound",
    }
)
"""Scores other products use: in the files to compare with, not to be reproduced."""

DATA_SUBFOLDER = {"kpi": "kpi", "impact": "kpi"}
HIDDEN = ("expected", "tolerance", "measured_here")

Case = dict[str, Any]
Adapter = Callable[[Case, Path], dict[str, Any]]


@dataclass(slots=True)
class Report:
    """What came of the cases of one file."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    not_answered: Counter[str] = field(default_factory=Counter)
    comparison_only: int = 0

    @property
    def total(self) -> int:
        return self.passed + len(self.failures) + self.not_answered.total()


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 1 when a case failed, else 0: cases without an answer, or no folder, are said but are no failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases", description="Run known-answer cases.")
    parser.add_argument("folder", type=Path, nargs="?", default=BESIDE_CHECKOUT / "cases")
    parser.add_argument("--data", type=Path, help="what `file` in a case is relative to (default: $EARSHOT_DATA)")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        say(f"no known-answer cases: {options.folder} is not a folder")
        return 0
    data = data_folder(options.folder, options.data)
    failed = False
    for path in sorted([*options.folder.glob("*.json"), *options.folder.glob("*.jsonl")]):
        report = run_file(path, data)
        show(path.name, report)
        failed = failed or bool(report.failures)
    return 1 if failed else 0


def data_folder(cases: Path, chosen: Path | None) -> Path:
    """Find the data folder: as chosen, as the environment says, beside the cases, or beside the checkout."""
    if chosen is not None:
        return chosen
    if "EARSHOT_DATA" in os.environ:
        return Path(os.environ["EARSHOT_DATA"])
    beside_cases = cases.resolve().parent / "data"
    return beside_cases if beside_cases.is_dir() else BESIDE_CHECKOUT / "data"


def run_file(path: Path, data: Path) -> Report:
    cases = load(path)
    report = Report()
    module = f"tests.cases.adapters.{path.stem}"
    if importlib.util.find_spec(module) is None:
        report.comparison_only = sum(case.get("method") in COMPARISON_ONLY for case in cases)
        report.not_answered["no module yet"] = len(cases) - report.comparison_only
        return report
    adapter: Adapter = importlib.import_module(module).answer
    for case in cases:
        run_case(case, adapter, data / DATA_SUBFOLDER.get(path.stem, ""), report)
    return report


def load(path: Path) -> list[Case]:
    """Read the cases of a file; a line of a `.jsonl` is a text with the label it should get."""
    if path.suffix == ".json":
        cases: list[Case] = json.loads(path.read_text(encoding="utf-8"))["cases"]
        return cases
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [{"id": row["id"], "input": {"text": row["text"]}, "expected": {"label": row["label"]}} for row in rows]


def run_case(case: Case, adapter: Adapter, data: Path, report: Report) -> None:
    """Ask the adapter and count the outcome. It sees which keys are asked for, never their values."""
    blind = {key: value for key, value in case.items() if key not in HIDDEN}
    blind["expected"] = dict.fromkeys(case["expected"])
    try:
        answer = adapter(blind, data)
    except NotAnswered as reason:
        if case.get("method") in COMPARISON_ONLY:
            report.comparison_only += 1
        else:
            report.not_answered[f"{reason}"] += 1
        return
    except Exception as error:  # noqa: BLE001 - one broken case must not hide the others
        report.failures.append(f"{case['id']}: {type(error).__name__}: {error}")
        return
    verdict = judge(case["expected"], answer, case.get("tolerance"))
    if verdict.wrong:
        report.failures.append(f"{case['id']}: " + "; ".join(verdict.wrong))
    elif verdict.missing:
        report.not_answered[f"{case['id']} in part, without {', '.join(verdict.missing)}"] += 1
    else:
        report.passed += 1


def show(name: str, report: Report) -> None:
    say(f"{name}: {report.passed}/{report.total}")
    for failure in report.failures:
        say(f"  FAILED {failure}")
    for reason, count in report.not_answered.items():
        say(f"  not answered: {count} {'case' if count == 1 else 'cases'}, {reason}")
    if report.comparison_only:
        say(f"  comparison only: {report.comparison_only}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
