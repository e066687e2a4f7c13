"""The runtime every service stands on; a service imports its building blocks from here."""

from . import erasure, mail
from .auth.principals import Admin, Manager, NoteTaker, Principal, Researcher, Viewer
from .bodies import Answer, Body, Limit, known_already
from .database import Connection, Transaction
from .depends import Now, Tx
from .erasure.mentions import Person
from .errors import Problem, Rejected, conflict, not_found, unprocessable
from .handlers import Handlers, Received
from .recovery.derived import Derived
from .recovery.versioned import Versioned
from .service import Service

__all__ = [
    "Admin",
    "Answer",
    "Body",
    "Connection",
    "Derived",
    "Handlers",
    "Limit",
    "Manager",
    "NoteTaker",
    "Now",
    "Person",
    "Principal",
    "Problem",
    "Received",
    "Rejected",
    "Researcher",
    "Service",
    "Transaction",
    "Tx",
    "Versioned",
    "Viewer",
    "conflict",
    "erasure",
    "known_already",
    "mail",
    "not_found",
    "unprocessable",
]
