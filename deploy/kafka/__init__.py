"""Kafka's side of an installation, generated from the contract: topics, users and what each user may do."""
