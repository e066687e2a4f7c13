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
        "roadmap": frozenset(
            {
                "GET /board",
                "GET /board/{feature_id}",
                "POST /board/{feature_id}/vote",
                "POST /board/{feature_id}/comments",
                "POST /comments/{comment_id}",
                "POST /comments/{comment_id}/delete",
                "POST /comments/{comment_id}/reactions",
                "GET /suggest",
                "POST /suggest",
                "GET /similar",
                "GET /changelog",
                "GET /changelog/{entry_id}",
                "GET /feeds/board",
                "GET /feeds/changelog",
                "GET /feeds/ideas/{feature_id}",
                "POST /board/{feature_id}/follow",
                "GET /identity",
                "GET /me",
                "POST /me",
                "POST /me/erase",
                "POST /me/mails",
                "GET /sign-in",
                "POST /sign-in",
                "GET /sign-in/callback",
                "GET /sign-in/company",
                "GET /sign-in/{token}",
                "POST /sign-in/{token}",
                "POST /sign-out",
                "GET /widget",
                "GET /widget.js",
                "POST /widget/session",
                "GET /widget/suggest",
                "POST /widget/suggest",
                "POST /widget/{feature_id}/vote",
                "GET /unsubscribe/{secret}",
                "POST /unsubscribe/{secret}",
            }
        ),
        "kpi": frozenset(),
    }
)

SERVICES: tuple[str, ...] = tuple(PUBLIC)

ADAPTERS: tuple[str, ...] = ("webhooks",)
"""On the same runtime with the same furniture, but without a business of their own; they lie in `deploy/`."""

DEPLOYABLE: tuple[str, ...] = (*SERVICES, *ADAPTERS)
