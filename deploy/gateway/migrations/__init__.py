"""The gateway's own schema: who is signed in. It has no events, so it needs no outbox and no inbox."""

BACKBONE = False
