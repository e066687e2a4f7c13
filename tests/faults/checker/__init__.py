"""The second program: compares the ledger with Kafka and the databases, and knows nothing of the services' code."""
