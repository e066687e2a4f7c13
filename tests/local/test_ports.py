import os
import re
import socket

import pytest

from deploy.local.errors import Fault
from deploy.local.ports import require_free


def test_a_taken_port_is_told_with_purpose_program_and_way_out() -> None:
    """The message names port, purpose and the program that has it, and how to move the whole block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Fault) as told:
            require_free(port, "the gateway")
    pattern = rf"Port {port}, needed for the gateway, is taken by \S.* \(pid {os.getpid()}\)\. .*EARSHOT_PORT_BASE"
    assert re.search(pattern, str(told.value))


def test_a_free_port_is_no_fault() -> None:
    """A port that was just closed can be used at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    require_free(port, "the gateway")
