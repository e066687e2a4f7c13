"""An older release of the platform, taken from the history and run beside the present one."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.faults.instance import CHECKOUT

BEFORE = "fc50d83b431ed74db2ee02e9e7a3da2724548bb8"
"""The release before the one whose work began with folders in the runtime and the new board."""


def release(commit: str, folder: Path) -> Path:
    """The commit's files; skips the test where the history does not reach so far back."""
    done = subprocess.run(["git", "archive", commit], cwd=CHECKOUT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the history does not have the release {commit}: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder
