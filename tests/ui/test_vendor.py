"""Vendored files are what their locks say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from shared.ui import vendor


@pytest.mark.parametrize("folder", [vendor.FOLDER, Path(__file__).parent / "vendor"])
def test_vendored_files_are_unchanged(folder: Path) -> None:
    """Every file in a vendor folder has the hash its lock names."""
    assert vendor.check(folder) == []


@pytest.mark.parametrize("folder", [vendor.FOLDER, Path(__file__).parent / "vendor"])
def test_nothing_lies_beside_the_lock(folder: Path) -> None:
    """A vendor folder holds only what its lock names, each package with its licence."""
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} - {"vendor.lock"}
    locked = vendor.read_lock(folder)
    assert there == {each.path for each in locked}
    assert {each.package for each in locked if each.member == "LICENSE"} == {each.package for each in locked}


def test_a_changed_or_missing_file_is_reported(tmp_path: Path) -> None:
    """A changed and a missing file are each named, with what to do."""
    (tmp_path / "a.js").write_bytes(b"changed")
    digest = hashlib.sha256(b"as it was").hexdigest()
    (tmp_path / "vendor.lock").write_text(f"# head\n{digest} p@1 dist/a.js a.js\n{digest} p@1 dist/b.js b.js\n")
    assert vendor.check(tmp_path) == [
        f"{tmp_path}/a.js is not dist/a.js of p@1; run `python -m shared.ui.vendor fetch`",
        f"{tmp_path}/b.js is missing; run `python -m shared.ui.vendor fetch`",
    ]


def test_a_wrong_command_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command ends with the usage and exit code 2."""
    assert vendor.main(["update"]) == 2
    assert capsys.readouterr().err == "usage: python -m shared.ui.vendor check|fetch [FOLDER]\n"
