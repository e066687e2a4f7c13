-- Dead letters for operators: in their order, with their repeats, mended beside the original, tried again.

-- The order of arrival, which within a partition is that of the offsets; an offset says nothing across clusters.
ALTER TABLE dead_letters ADD COLUMN number bigint;
UPDATE dead_letters
   SET number = ordered.number
  FROM (SELECT id, row_number() OVER (ORDER BY received_at, topic, partition, "offset") AS number FROM dead_letters)
       AS ordered
 WHERE ordered.id = dead_letters.id;
ALTER TABLE dead_letters
    ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval(pg_get_serial_sequence('dead_letters', 'number'), max(number)) FROM dead_letters HAVING max(number) > 0;

ALTER TABLE dead_letters
    ADD UNIQUE (number),
    -- SHA-256 of topic, key, value and headers; null where the record names no event, so that nobody can say whether
    -- an equal one is the same.
    ADD COLUMN fingerprint bytea UNIQUE,
    -- SHA-256 of the key as it counts now: the record's, or that of its last edit; null without a key.
    ADD COLUMN key_digest bytea,
    -- The last replay that failed, and why.
    ADD COLUMN tried_at timestamptz,
    ADD COLUMN tried_by text,
    ADD COLUMN complaint text;
UPDATE dead_letters SET key_digest = sha256(key);
CREATE INDEX dead_letters_waiting ON dead_letters (topic, key_digest, number) WHERE state = 'open';

-- The record's own key, value and headers stay as they came; of its edits the last holds.
CREATE TABLE dead_letter_edits (
    letter    uuid NOT NULL REFERENCES dead_letters (id) ON DELETE CASCADE,
    number    integer NOT NULL,
    key       bytea,
    value     bytea,
    headers   jsonb NOT NULL,
    edited_by text NOT NULL,
    edited_at timestamptz NOT NULL,
    PRIMARY KEY (letter, number)
);

-- Where the very same event came again: it is that event still, so it is no letter of its own.
CREATE TABLE dead_letter_repeats (
    letter      uuid NOT NULL REFERENCES dead_letters (id) ON DELETE CASCADE,
    cluster     text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (cluster, topic, partition, "offset")
);
CREATE INDEX dead_letter_repeats_of ON dead_letter_repeats (letter);
