"""The event contract: models, CloudEvents envelope, topics, and the documents generated from them."""
