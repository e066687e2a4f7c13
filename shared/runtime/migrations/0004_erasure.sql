-- Forgetting people: what recognises them when something of theirs comes late, and letters without a record.

-- SHA-256 of the ids of erased people, so that nothing leads from here to them; of addresses only until their events
-- have expired.
CREATE TABLE erased_marks (
    mark       bytea PRIMARY KEY,
    erased_at  timestamptz NOT NULL,
    expires_at timestamptz
);

-- A letter about an erased person keeps its place and how it ended, nothing else.
ALTER TABLE dead_letters
    ADD COLUMN erased_at timestamptz,
    DROP CONSTRAINT dead_letters_state_check,
    ADD CONSTRAINT dead_letters_state_check CHECK (state IN ('open', 'replayed', 'discarded', 'erased')),
    ADD CONSTRAINT nothing_of_an_erased_person
        CHECK (erased_at IS NULL OR num_nonnulls(key, value, event_id, note) = 0 AND headers = '[]' AND state <> 'open');

-- Producers choose the ids of their events; what is no UUID may be somebody's address or name. See inbox.py.
UPDATE inbox SET id = 'sha256:' || encode(sha256(convert_to(id, 'UTF8')), 'hex')
 WHERE id !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
