"""The runtime every service stands on; a service imports its building blocks from here."""

from .auth import Admin, Manager, NoteTaker, Principal, Researcher, Viewer
from .bodies import Answer, Body, Limit, known_already
from .database import Connection, Transaction
from .depends import Now, Tx
from .errors import Problem, Rejected, conflict, not_found, unprocessable
from .handlers import Handlers, Received
from .service import Service

__all__ = [
    "Admin",
    "Answer",
    "Body",
    "Connection",
    "Handlers",
    "Limit",
    "Manager",
    "NoteTaker",
    "Now",
    "Principal",
    "Problem",
    "Received",
    "Rejected",
    "Researcher",
    "Service",
    "Transaction",
    "Tx",
    "Viewer",
    "conflict",
    "known_already",
    "not_found",
    "unprocessable",
]
