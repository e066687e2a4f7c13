-- Who wants which events where, what is on its way to them, and how each attempt ended.

CREATE TABLE subscriptions (
    id            uuid PRIMARY KEY,
    url           text NOT NULL,
    description   text NOT NULL,
    event_types   text[] NOT NULL CHECK (cardinality(event_types) > 0),
    conditions    jsonb NOT NULL,
    personal_data boolean NOT NULL,
    state         text NOT NULL CHECK (state IN ('active', 'paused', 'disabled')),
    reason        text,
    failing_since timestamptz,  -- null: the latest attempt was taken, or there was none
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    CHECK ((state = 'disabled') = (reason IS NOT NULL))
);

CREATE TABLE secrets (
    id              uuid PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    sealed          text NOT NULL,
    created_at      timestamptz NOT NULL,
    ends_at         timestamptz  -- null: the present one
);
CREATE UNIQUE INDEX secrets_present ON secrets (subscription_id) WHERE ends_at IS NULL;
CREATE INDEX secrets_of_subscription ON secrets (subscription_id);

-- An event that at least one subscription wants; its id is the webhook-id.
CREATE TABLE messages (
    id          uuid PRIMARY KEY,
    event_id    text NOT NULL,
    source      text NOT NULL,
    type        text NOT NULL,
    key         text NOT NULL,
    people      text[] NOT NULL,
    personal    boolean NOT NULL,
    body        text,  -- null: erased, or personal and no longer needed
    received_at timestamptz NOT NULL
);
CREATE INDEX messages_by_people ON messages USING gin (people);
CREATE INDEX messages_by_age ON messages (received_at);

CREATE TABLE deliveries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    message_id      uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    lane            text NOT NULL,  -- what is of one lane goes out one after the other, in the order of the ids
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'erased')),
    failures        integer NOT NULL DEFAULT 0,  -- since it was queued or replayed
    note            text,
    finished_at     timestamptz,
    UNIQUE (message_id, subscription_id)
);
CREATE INDEX deliveries_pending ON deliveries (subscription_id, lane, id) WHERE state = 'pending';
CREATE INDEX deliveries_of_subscription ON deliveries (subscription_id, id);

-- One row for each lane in which something is pending: when its first delivery is due. Whoever attempts it puts the
-- time off first, so that nobody else does, and so that it is due again when the process dies.
CREATE TABLE lanes (
    subscription_id uuid NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    lane            text NOT NULL,
    due_at          timestamptz NOT NULL,
    PRIMARY KEY (subscription_id, lane)
);
CREATE INDEX lanes_due ON lanes (subscription_id, due_at);
ALTER TABLE lanes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE attempts (
    delivery_id  bigint NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    number       integer NOT NULL,
    started_at   timestamptz NOT NULL,
    milliseconds integer NOT NULL,
    status       integer,
    error        text,
    answer       text,
    PRIMARY KEY (delivery_id, number),
    CHECK ((status IS NULL) = (error IS NOT NULL))
);

-- Which participant asked with which request: DemoRequested itself names no participant.
CREATE TABLE askers (
    request_id     text NOT NULL,
    participant_id text NOT NULL,
    heard_at       timestamptz NOT NULL,
    PRIMARY KEY (participant_id, request_id)
);
CREATE INDEX askers_by_age ON askers (heard_at);
