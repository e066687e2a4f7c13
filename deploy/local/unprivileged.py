"""Running PostgreSQL when we are root: it refuses root, so it runs as `nobody`, without changing anybody's folders."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import Fault

ACCOUNT = "nobody"
CAPABILITIES = (None, "dac_read_search", "dac_override")
"""What the account may need to reach folders below a private one such as /root: nothing, else the least that helps."""


def command_prefix(program: str, folder: Path) -> list[str]:
    """What to put before a command so that it may run the program and reach the folder; empty for an ordinary user.

    Raises:
        Fault: we are root and the folder or the program cannot be reached without being root.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise Fault("As root, PostgreSQL needs setpriv (package util-linux): install it, or run as an ordinary user.")
    for capability in CAPABILITIES:
        prefix = _setpriv(capability)
        if _reaches(prefix, program, folder):
            return prefix
    raise Fault(
        f"PostgreSQL does not run as root, and the user {ACCOUNT} cannot reach {folder} or {program}. "
        "Set EARSHOT_HOME to a folder others may enter, such as /var/lib/earshot, or run as an ordinary user."
    )


def hand_over(folder: Path) -> None:
    """Give a folder or file of ours, and what is in it, to the account, if we are root."""
    if os.geteuid() != 0:
        return
    account = pwd.getpwnam(ACCOUNT)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _setpriv(capability: str | None) -> list[str]:
    account = pwd.getpwnam(ACCOUNT)
    prefix = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--no-new-privs"]
    if capability is None:
        return prefix
    # no_setuid_fixup: access(2) honours the capability although the real user is not root
    raised = f"+{capability}"
    return [*prefix, "--securebits=+no_setuid_fixup", f"--inh-caps={raised}", f"--ambient-caps={raised}"]


def _reaches(prefix: list[str], program: str, folder: Path) -> bool:
    listing = subprocess.run([*prefix, "ls", folder], capture_output=True, check=False)
    version = subprocess.run([*prefix, program, "--version"], capture_output=True, check=False)
    return listing.returncode == 0 and version.returncode == 0
