"""The runner of known answers: what counts as the expected answer, and what it says about the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cases.__main__ import main
from tests.cases.comparison import judge

RICE = {"id": "r", "method": "rice", "input": {"reach": 10, "impact": 2, "confidence": 1, "effort": 4}}


def write(folder: Path, name: str, *cases: dict[str, Any]) -> None:
    (folder / name).write_text(json.dumps({"cases": cases}), encoding="utf-8")


def test_right_answers_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose cases all hold prints passed/total and ends with 0."""
    write(tmp_path, "scoring.json", {**RICE, "expected": {"score": 5}, "tolerance": 0})
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "scoring.json: 1/1\n"


def test_wrong_answer_is_named_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong value names the case, the key, the expectation and what came, and ends with 1."""
    write(tmp_path, "scoring.json", {**RICE, "expected": {"score": 6}, "tolerance": 0.5})
    assert main([str(tmp_path)]) == 1
    assert "  FAILED r: score: expected 6 within 0.5, got 5.0\n" in capsys.readouterr().out


def test_broken_case_does_not_hide_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error inside a case is reported as its failure and the next case still runs."""
    broken = {"id": "b", "method": "rice", "input": {"reach": 1}, "expected": {"score": 1}}
    write(tmp_path, "scoring.json", broken, {**RICE, "expected": {"score": 5}})
    assert main([str(tmp_path)]) == 1
    output = capsys.readouterr().out
    assert output.startswith("scoring.json: 1/2\n  FAILED b: TypeError")


def test_methods_without_an_answer_are_counted_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown methods, scores of other products and files without a module are said, and are no failure."""
    peers = {"id": "p", "method": "fider_trending", "input": {}, "expected": {"score": 1}}
    unknown = {"id": "u", "method": "astrology", "input": {}, "expected": {"score": 1}}
    write(tmp_path, "scoring.json", peers, unknown)
    write(tmp_path, "horoscopes.json", unknown)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "horoscopes.json: 0/1",
        "  not answered: 1 case, no module yet",
        "scoring.json: 0/1",
        "  not answered: 1 case, astrology: no such score in the product",
        "  comparison only: 1",
    ]


def test_missing_folder_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Known answers are optional: without them the runner says so and ends with 0."""
    assert main([str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out == f"no known-answer cases: {tmp_path / 'none'} is not a folder\n"


@pytest.mark.parametrize(
    ("expected", "answer", "tolerance", "holds"),
    [
        ({"a": 1.0}, {"a": 1.05}, 0.1, True),
        ({"a": 1.0}, {"a": 1.2}, 0.1, False),
        ({"a": 1}, {"a": 1.001}, None, False),
        ({"a": 1}, {"a": float("nan")}, 0.1, False),
        ({"a": None}, {"a": None}, 0.1, True),
        ({"a": None}, {"a": 0.0}, 0.1, False),
        ({"a": 0.0}, {"a": None}, 0.1, False),
        ({"a": True}, {"a": 1}, 0.1, False),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, 0.1, False),
        ({"a": [1.0, 2.0]}, {"a": [1.0]}, 0.1, False),
        ({"a": {"b": 1.0}}, {"a": {}}, 0.1, False),
        ({"a": {"b": 1.0}}, {"a": {"b": 1.0, "c": 9}}, 0.1, True),
    ],
)
def test_values_are_compared_by_kind(
    expected: dict[str, Any],
    answer: dict[str, Any],
    tolerance: float | None,
    *,
    holds: bool,
) -> None:
    """Numbers may differ by the tolerance; undefined, truth values, texts, order and length must be the same."""
    assert (judge(expected, answer, tolerance).wrong == []) is holds


@pytest.mark.parametrize(
    ("key", "tolerance", "off_by", "holds"),
    [
        ("share", {"share": 0.01}, 0.009, True),
        ("share", {"share": 0.01}, 0.011, False),
        ("avg_effect", {"avg": 0.01}, 0.009, True),
        ("avg_effect", {"avg": 0.01}, 0.011, False),
        ("avg_ci95", {"avg": 0.01, "ci": 0.1}, 0.09, True),
        ("avg_effect", {"avg_rel": 0.01}, 1.9, True),
        ("avg_effect", {"avg_rel": 0.01}, 2.1, False),
        ("placebo", {"p": 0.01}, 5.0, True),
    ],
)
def test_tolerances_by_key(key: str, tolerance: dict[str, float], off_by: float, *, holds: bool) -> None:
    """The most exact name that covers a key decides, `_rel` is relative, and uncovered simulated values are not judged.

    The expected value is 200.
    """
    assert (judge({key: 200.0}, {key: 200.0 + off_by}, tolerance).wrong == []) is holds


def test_counts_are_exact_when_no_tolerance_covers_them() -> None:
    """A whole number answered by a whole number must be the same."""
    assert judge({"votes": 81}, {"votes": 82}, {"share": 0.5}).wrong == ["votes: expected 81 within 1e-09, got 82"]


def test_unanswered_keys_are_named() -> None:
    """An answer may leave keys out; they are neither right nor wrong."""
    verdict = judge({"a": 1, "b": 2}, {"a": 1}, None)
    assert (verdict.wrong, verdict.missing) == ([], ["b"])


def test_statements_about_a_list_are_held_against_it() -> None:
    """Count, first, last, contained, absent and local dates follow from the answered slots."""
    stated = {
        "count": 2,
        "first": "2024-05-23T04:00:00Z",
        "last": "2024-05-23T20:00:00Z",
        "contains": ["2024-05-23T20:00:00Z"],
        "absent": ["2024-05-23T05:00:00Z"],
        "dates_with_slots": ["2024-05-23", "2024-05-24"],
        "dates_timezone": "Asia/Kolkata",
    }
    answer = {"slots": ["2024-05-23T04:00:00Z", "2024-05-23T20:00:00Z"]}
    verdict = judge({"stated": stated, "slots_derived": True}, answer, None)
    assert (verdict.wrong, verdict.missing) == ([], [])


def test_false_statements_about_a_list_are_found() -> None:
    """A slot that should be there and one that should not are both reported."""
    expected = {"contains": ["2024-05-23T06:00:00Z"], "stated": {"absent": ["2024-05-23T04:00:00Z"], "count": 2}}
    verdict = judge(expected, {"slots": ["2024-05-23T04:00:00Z"]}, None)
    assert len(verdict.wrong) == 3
