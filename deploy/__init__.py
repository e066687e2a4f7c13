"""Everything that runs the services: the local launcher and what the operations team needs elsewhere."""
