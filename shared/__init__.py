"""What every Earshot service is built on: the event contract, the runtime and the look. No business rule lives here."""
