-- What every service keeps beside its own tables: events out, events in, events that could not be handled.

CREATE TABLE outbox (
    seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            uuid NOT NULL UNIQUE,
    aggregatetype text NOT NULL,
    aggregateid   text NOT NULL,
    type          text NOT NULL,
    payload       text NOT NULL,
    headers       jsonb NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
-- Rows come and go all the time; vacuum after thousands of dead ones, not after a share of none.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE FUNCTION outbox_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA || '_outbox', '');
    RETURN NULL;
END
$$;
-- Per statement and without payload: PostgreSQL folds equal notifications of one transaction into one.
CREATE TRIGGER outbox_announce AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION outbox_announce();

CREATE TABLE inbox (
    id          text NOT NULL,
    source      text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, source)
);
CREATE INDEX inbox_by_age ON inbox (received_at);

-- Keyed by the cluster too: another cluster's offsets say nothing about this one's.
CREATE TABLE consumer_positions (
    cluster     text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (cluster, topic, partition)
);

CREATE TABLE dead_letters (
    id          uuid PRIMARY KEY,
    cluster     text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,
    key         bytea,
    value       bytea,
    headers     jsonb NOT NULL,
    event_id    text,
    event_type  text,
    reason      text NOT NULL,
    received_at timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
    closed_at   timestamptz,
    closed_by   text,
    note        text,
    UNIQUE (cluster, topic, partition, "offset")
);
CREATE INDEX dead_letters_open ON dead_letters (received_at) WHERE state = 'open';
