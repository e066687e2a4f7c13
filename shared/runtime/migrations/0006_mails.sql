-- Mails on their way out, written in the transaction that made them due.
CREATE TABLE mails (
    id          uuid PRIMARY KEY,
    -- What it is about; a second mail of the same key is the same mail.
    key         text NOT NULL UNIQUE,
    -- Whoever it is for, so that an erasure finds it; null where nobody knows them yet.
    person_id   text,
    recipient   text NOT NULL,
    language    text NOT NULL,
    subject     text NOT NULL,
    text        text NOT NULL,
    html        text NOT NULL,
    -- Where one click stops mails of this kind; null for what somebody asked for.
    unsubscribe text,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    created_at  timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    -- When it is worthless, as a link that no longer works; null: never.
    expires_at  timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    complaint   text,
    settled_at  timestamptz,
    CHECK ((state = 'waiting') = (settled_at IS NULL))
);
CREATE INDEX mails_due ON mails (due_at) WHERE state = 'waiting';
CREATE INDEX mails_settled ON mails (settled_at) WHERE state <> 'waiting';
CREATE INDEX mails_of_person ON mails (person_id) WHERE person_id IS NOT NULL;
