"""Whether a port is free, and if not, who has it."""

import errno
import socket

import psutil

from deploy.local.errors import Fault
from deploy.local.paths import HOST


def require_free(port: int, purpose: str) -> None:
    """Make sure that we can listen on the port.

    Raises:
        Fault: somebody else listens there; the message names port, purpose and, where the system tells, the program.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as refused:
            if refused.errno != errno.EADDRINUSE:
                raise Fault(f"Port {port}, needed for {purpose}, cannot be used: {refused}.") from refused
            raise Fault(
                f"Port {port}, needed for {purpose}, is taken by {_owner(port)}. "
                "Stop that program, or set EARSHOT_PORT_BASE to move the whole block of ports."
            ) from None


def answers(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _owner(port: int) -> str:
    try:
        listeners = [
            found.pid
            for found in psutil.net_connections(kind="tcp")
            if found.status == psutil.CONN_LISTEN and found.pid and found.laddr and found.laddr.port == port
        ]
        if listeners:
            return f"{psutil.Process(listeners[0]).name()} (pid {listeners[0]})"
    except psutil.Error:
        pass  # the system tells only the owner or root who listens
    return "another program"
