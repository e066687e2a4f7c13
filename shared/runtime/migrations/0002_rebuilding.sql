-- What a service needs to be built again, and to go on after an old backup was put back.

-- Published events, where they are kept at all (EARSHOT_OUTBOX_ARCHIVE_DAYS): the outbox's own columns.
CREATE TABLE outbox_archive (
    seq           bigint PRIMARY KEY,
    id            uuid NOT NULL,
    aggregatetype text NOT NULL,
    aggregateid   text NOT NULL,
    type          text NOT NULL,
    payload       text NOT NULL,
    headers       jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    published_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_archive_by_age ON outbox_archive (published_at);

-- Versions handed out from now on are above this; 0 until an old backup was put back. One row.
CREATE TABLE version_floor (
    floor bigint NOT NULL CHECK (floor >= 0),
    one   boolean PRIMARY KEY DEFAULT true CHECK (one)
);
INSERT INTO version_floor (floor) VALUES (0);
