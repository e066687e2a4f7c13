"""Mails: written in the transaction that makes them due, sent by a job over SMTP, each at least once.

A service writes with `write(tx, Mail(…))` and lists `delivering.deliver` among its jobs. Where no SMTP server is named
they stay in the table, and a local installation shows them at `/mailbox`.
"""

from .table import Mail, forget, id_of, write

__all__ = ["Mail", "forget", "id_of", "write"]
