"""What tests stand on: a real broker, a real database, and services to ask and to tell."""
