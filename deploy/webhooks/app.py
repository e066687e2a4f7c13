"""Wires the webhooks."""

from deploy.webhooks import api, pages, store
from deploy.webhooks.delivering import deliver
from deploy.webhooks.handlers import handlers
from deploy.webhooks.housekeeping import keep_house
from deploy.webhooks.settings import WebhookSettings
from services import PUBLIC_EVERYWHERE
from shared.runtime import Service

service = Service(
    name="webhooks",
    summary="Hands events over HTTP to systems that have no Kafka client",
    handlers=handlers,
    routers=(*api.routers, *pages.routers),
    public=PUBLIC_EVERYWHERE,
    pages=pages.pages,
    pulse=store.pulse,
    settings=WebhookSettings,
    jobs=(deliver, keep_house),
)
