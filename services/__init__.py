"""The five services, the adapters beside them, and what anybody may call without signing in: the one list of each."""

from collections.abc import Mapping
from types import MappingProxyType

PUBLIC_EVERYWHERE: frozenset[str] = frozenset(
    {
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /openapi.json",
        "GET /asyncapi.json",
        "GET /docs",
    }
)

PUBLIC: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "scheduling": frozenset({"GET /book", "POST /book", "GET /booked/{token}", "GET /api/v1/slots"}),
        "sessions": frozenset(),
        "insights": frozenset(),
        "roadmap": frozenset({"GET /board", "GET /board/{feature_id}", "POST /board/{feature_id}/vote"}),
        "kpi": frozenset(),
    }
)

SERVICES: tuple[str, ...] = tuple(PUBLIC)

ADAPTERS: tuple[str, ...] = ("webhooks",)
"""On the same runtime with the same furniture, but without a business of their own; they lie in `deploy/`."""

DEPLOYABLE: tuple[str, ...] = (*SERVICES, *ADAPTERS)
