"""The JSON endpoints, a module for each subject."""

from . import deliveries, subscriptions

routers = (subscriptions.router, deliveries.router)
