"""Webhooks: hands events over HTTP to systems that have no Kafka client.

It owns the subscriptions with their secrets, and the deliveries with their attempts. Events in: all of the contract,
whoever published them. Events out: none but EventRejected. It decides nothing about interviews, ideas or KPIs, so it is
no service of its own but an adapter: the same runtime and furniture, and no other service knows that it exists.
"""
