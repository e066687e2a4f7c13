-- Who speaks at the board and how they are reached, what waits for a moderator, and who is told of what.

-- Votes of visitors nobody knows: kept and shown apart, counted nowhere until the visitor is confirmed.
CREATE TABLE anonymous_votes (
    feature_id text NOT NULL,
    voter_id   text NOT NULL,
    vote       text NOT NULL CHECK (vote IN ('up', 'withdrawn')),
    voted_at   timestamptz NOT NULL,
    channel    text NOT NULL,
    PRIMARY KEY (feature_id, voter_id)
);
CREATE INDEX anonymous_votes_by_voter ON anonymous_votes (voter_id);
INSERT INTO anonymous_votes (feature_id, voter_id, vote, voted_at, channel)
SELECT feature_id, voter_id, vote, voted_at, channel FROM votes WHERE voter_kind = 'anonymous';
DELETE FROM votes WHERE voter_kind = 'anonymous';
DELETE FROM people
 WHERE erased_at IS NULL AND person_id IN (SELECT voter_id FROM anonymous_votes)
   AND NOT EXISTS (SELECT FROM votes WHERE voter_id = person_id)
   AND NOT EXISTS (SELECT FROM words WHERE words.person_id = people.person_id)
   AND NOT EXISTS (SELECT FROM insights WHERE participant_id = people.person_id);
UPDATE active_counts SET people = (SELECT count(*) FROM people WHERE people.cell = active_counts.cell);
UPDATE support_counts
   SET people = (SELECT count(*) FROM supporters
                  WHERE (supporters.feature_id, supporters.cell) = (support_counts.feature_id, support_counts.cell))
 WHERE feature_id IN (SELECT feature_id FROM anonymous_votes);
UPDATE ideas
   SET supporters = (SELECT count(*) FROM supporters WHERE supporters.feature_id = ideas.feature_id),
       momentum = (SELECT coalesce(sum(vote_weight(voted_at)), 0) FROM votes JOIN people ON person_id = voter_id
                    WHERE votes.feature_id = ideas.feature_id AND vote = 'up' AND erased_at IS NULL)
 WHERE feature_id IN (SELECT feature_id FROM anonymous_votes);
INSERT INTO due (feature_id) SELECT DISTINCT feature_id FROM anonymous_votes ON CONFLICT DO NOTHING;

-- Whoever signed in at the board, or is blocked there; what the company says of them.
CREATE TABLE speakers (
    person_id text PRIMARY KEY,
    kind      text NOT NULL CHECK (kind IN ('customer', 'prospect', 'anonymous')),
    -- plan, region, age_band, usage, loyalty.
    segment   jsonb NOT NULL DEFAULT '{}',
    trust     text NOT NULL DEFAULT 'new' CHECK (trust IN ('new', 'trusted', 'blocked')),
    -- How often a moderator published what they wrote.
    approved  integer NOT NULL DEFAULT 0 CHECK (approved >= 0),
    joined_at timestamptz NOT NULL
);

-- The only place of the service that holds an address or a name; see docs/decisions/0012-contacts.md.
CREATE TABLE contacts (
    person_id   text PRIMARY KEY,
    email       text NOT NULL UNIQUE CHECK (email = lower(email)),
    name        text,
    language    text NOT NULL,
    wants_mail  boolean NOT NULL DEFAULT true,
    -- What the links in mails say instead of a password; it can only end mails.
    unsubscribe text NOT NULL UNIQUE
);

-- SHA-256 of the secrets, so that whoever reads the table can sign in as nobody.
CREATE TABLE sign_in_links (
    digest     bytea PRIMARY KEY,
    email      text NOT NULL,
    -- The visitor who asked; their votes become those of whoever opens the link.
    visitor_id text,
    language   text NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX sign_in_links_by_email ON sign_in_links (email, asked_at);

-- Identity tokens that were used, until they would have expired.
CREATE TABLE used_tokens (
    digest     bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

CREATE TABLE board_sessions (
    digest      bytea PRIMARY KEY,
    -- The secret that replaces it as soon as the browser shows it.
    next_digest bytea UNIQUE,
    person_id   text NOT NULL,
    -- Within another site's page.
    embedded    boolean NOT NULL,
    renewed_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX board_sessions_by_person ON board_sessions (person_id);

-- Who asked to be told of an idea, or not to be; whoever voted for it is told without asking.
CREATE TABLE subscriptions (
    feature_id text NOT NULL REFERENCES ideas,
    person_id  text NOT NULL,
    wanted     boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (feature_id, person_id)
);
CREATE INDEX subscriptions_by_person ON subscriptions (person_id);

-- The status of each idea that its people were last told or are about to be told.
CREATE TABLE told (
    feature_id text PRIMARY KEY REFERENCES ideas,
    status     text NOT NULL
);
INSERT INTO told (feature_id, status) SELECT feature_id, status FROM ideas WHERE status_version > 0;

-- One person to be told of one change; waiting while mail_id is null.
CREATE TABLE notices (
    feature_id     text NOT NULL REFERENCES ideas,
    status_version integer NOT NULL,
    person_id      text NOT NULL,
    status         text NOT NULL,
    -- The status the person knows.
    known          text NOT NULL,
    changed_at     timestamptz NOT NULL,
    mail_id        uuid,
    PRIMARY KEY (feature_id, status_version, person_id)
);
CREATE INDEX notices_waiting ON notices (person_id) WHERE mail_id IS NULL;
CREATE INDEX notices_by_person ON notices (person_id);

-- What moderators decided, with what was before, so that it can be undone.
CREATE TABLE decisions (
    decision_id text PRIMARY KEY,
    subject     text NOT NULL CHECK (subject IN ('idea', 'comment', 'speaker')),
    subject_id  text NOT NULL,
    before      text NOT NULL,
    after       text NOT NULL,
    reason      text,
    decided_by  text NOT NULL,
    decided_at  timestamptz NOT NULL,
    undone_at   timestamptz
);
CREATE INDEX decisions_by_time ON decisions (decided_at DESC);
CREATE INDEX decisions_by_subject ON decisions (subject_id);
CREATE INDEX ideas_waiting ON ideas (created_at) WHERE visibility <> 'published';
CREATE INDEX comments_waiting ON comments (created_at) WHERE visibility <> 'published';

-- Where votes of the last days came from: a hash of the network with a salt that is thrown away with them.
CREATE TABLE network_salts (
    week date PRIMARY KEY,
    salt bytea NOT NULL
);
CREATE TABLE arrivals (
    feature_id text NOT NULL,
    person_id  text NOT NULL,
    network    bytea NOT NULL,
    is_new     boolean NOT NULL,
    voted_at   timestamptz NOT NULL,
    PRIMARY KEY (feature_id, person_id)
);
CREATE INDEX arrivals_by_time ON arrivals (voted_at);
CREATE INDEX arrivals_by_person ON arrivals (person_id);

-- What another system called what was imported from it, so that importing again adds nothing.
CREATE TABLE imported (
    kind        text NOT NULL CHECK (kind IN ('idea', 'comment', 'person')),
    external_id text NOT NULL,
    own_id      text NOT NULL,
    PRIMARY KEY (kind, external_id)
);
CREATE INDEX imported_by_own ON imported (kind, own_id);

-- How many people stood behind the idea when its score was last published; null: published before this was kept.
ALTER TABLE priorities ADD COLUMN raw_votes integer CHECK (raw_votes >= 0);
