"""The roles, and how what an identity provider says of somebody becomes one of them."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

Role = Literal["admin", "manager", "researcher", "note_taker", "viewer", "service"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Of several roles the first counts."""


def values_at(claims: Mapping[str, Any], path: str) -> list[str]:
    """What the claim holds, as texts: `roles`, or nested as `realm_access.roles`; nothing where it is missing.

    A claim whose own name has dots, such as `https://company.example/roles`, is found by its whole name.
    """
    found: Any = claims
    for name in [path] if path in claims else path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return [str(value) for value in (found if isinstance(found, list) else [found]) if isinstance(value, str | int)]


def role_of(values: list[str], meaning: Mapping[str, Role]) -> Role | None:
    """The strongest role that one of the values stands for; without a map, a role is called by its own name."""
    granted = {meaning.get(value) for value in values} if meaning else set(values)
    return next((role for role in ROLES if role in granted), None)
