-- Requests, studies, hosts, participants, bookings and whom to tell.

-- Lets one exclusion constraint compare a host by equality and a time by overlap.
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

CREATE TABLE studies (
    study_id             text PRIMARY KEY,
    title                text NOT NULL,
    goal                 text,
    length_minutes       integer NOT NULL CHECK (length_minutes BETWEEN 5 AND 480),
    buffer_after_minutes integer NOT NULL CHECK (buffer_after_minutes BETWEEN 0 AND 240),
    notice_minutes       integer NOT NULL CHECK (notice_minutes BETWEEN 0 AND 43200),
    horizon_days         integer NOT NULL CHECK (horizon_days BETWEEN 1 AND 365),
    step_minutes         integer NOT NULL CHECK (step_minutes BETWEEN 5 AND 480),
    open                 boolean NOT NULL,
    created_at           timestamptz NOT NULL
);

CREATE TABLE hosts (
    host_id    text PRIMARY KEY,
    name       text NOT NULL,
    email      text NOT NULL,
    timezone   text NOT NULL,
    weekly     jsonb NOT NULL,
    active     boolean NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE study_hosts (
    study_id text NOT NULL REFERENCES studies,
    host_id  text NOT NULL REFERENCES hosts,
    role     text NOT NULL CHECK (role IN ('moderator', 'note_taker')),
    PRIMARY KEY (study_id, host_id)
);

CREATE TABLE participants (
    participant_id text PRIMARY KEY,
    name           text,
    email          text,
    company        text,
    phone          text,
    segment        jsonb NOT NULL DEFAULT '{}',
    described_at   timestamptz NOT NULL,
    erased_at      timestamptz,
    CHECK ((erased_at IS NULL) = (name IS NOT NULL)),
    CHECK ((erased_at IS NULL) = (email IS NOT NULL)),
    CHECK (erased_at IS NULL OR (company IS NULL AND phone IS NULL AND segment = '{}'))
);
-- One person per address, however its letters are written.
CREATE UNIQUE INDEX participants_by_email ON participants (lower(email));

CREATE TABLE requests (
    request_id     text PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participants,
    -- As asked for; no reference, because the study may become known later.
    study_id       text,
    state          text NOT NULL CHECK (state IN ('received', 'waiting', 'booked', 'cancelled', 'completed')),
    reason         text,
    requested_at   timestamptz NOT NULL,
    timezone       text NOT NULL,
    questions      text[] NOT NULL,
    preferred      tstzrange[] NOT NULL,
    -- What opens the customer's own page; random, because it is all that page asks for.
    token          text NOT NULL UNIQUE,
    CHECK ((state = 'waiting') = (reason IS NOT NULL))
);
CREATE INDEX requests_waiting ON requests (requested_at) WHERE state = 'waiting';
CREATE INDEX requests_by_participant ON requests (participant_id);

CREATE TABLE interviews (
    interview_id   text PRIMARY KEY,
    version        integer NOT NULL CHECK (version > 0),
    request_id     text NOT NULL REFERENCES requests,
    study_id       text NOT NULL REFERENCES studies,
    participant_id text NOT NULL REFERENCES participants,
    moderator_id   text NOT NULL REFERENCES hosts,
    note_taker_id  text REFERENCES hosts,
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL,
    state          text NOT NULL CHECK (state IN ('booked', 'cancelled', 'completed')),
    scheduled_at   timestamptz NOT NULL,
    cancelled_at   timestamptz,
    cancelled_by   text CHECK (cancelled_by IN ('participant', 'team')),
    cancel_reason  text,
    CHECK (ends_at > starts_at),
    CHECK (note_taker_id <> moderator_id),
    CHECK (state <> 'cancelled' OR (cancelled_at IS NOT NULL AND cancelled_by IS NOT NULL))
);
-- A request leads to one interview at a time.
CREATE UNIQUE INDEX interviews_live ON interviews (request_id) WHERE state <> 'cancelled';
CREATE INDEX interviews_ahead ON interviews (starts_at) WHERE state = 'booked';
CREATE INDEX interviews_by_participant ON interviews (participant_id);

-- The time a host is taken: the interview and the minutes kept free after it. A cancelled interview has no row.
CREATE TABLE bookings (
    interview_id text NOT NULL REFERENCES interviews,
    host_id      text NOT NULL REFERENCES hosts,
    during       tstzrange NOT NULL CHECK (NOT isempty(during)),
    PRIMARY KEY (interview_id, host_id),
    CONSTRAINT no_double_booking EXCLUDE USING gist (host_id WITH =, during WITH &&)
);

-- Sessions that took place; they may be heard of before the request that led to them.
CREATE TABLE held_sessions (
    session_id   text PRIMARY KEY,
    interview_id text,
    request_id   text,
    completed_at timestamptz NOT NULL
);
CREATE INDEX held_sessions_by_request ON held_sessions (request_id);

-- The highest version of each feature's status heard of; an older one is stale.
CREATE TABLE features (
    feature_id text PRIMARY KEY,
    version    integer NOT NULL
);

CREATE TABLE notices (
    notice_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    feature_id     text NOT NULL REFERENCES features,
    version        integer NOT NULL,
    -- No reference: other research tools name participants we have never met.
    participant_id text NOT NULL,
    title          text NOT NULL,
    status         text NOT NULL,
    released_at    timestamptz,
    state          text NOT NULL CHECK (state IN ('open', 'told', 'superseded')),
    created_at     timestamptz NOT NULL,
    told_at        timestamptz,
    told_by        text,
    UNIQUE (feature_id, participant_id, version),
    CHECK ((state = 'told') = (told_at IS NOT NULL))
);
CREATE INDEX notices_open ON notices (created_at) WHERE state = 'open';
CREATE INDEX notices_by_participant ON notices (participant_id);

-- What readers want to see of a request, an interview and a notice at once.
CREATE VIEW request_details AS
SELECT requests.*, name, email, company
  FROM requests JOIN participants USING (participant_id);

CREATE VIEW interview_details AS
SELECT interviews.*, requests.timezone, requests.questions, participants.segment, studies.title AS study_title,
       moderators.name AS moderator_name, moderators.email AS moderator_email, note_takers.name AS note_taker_name,
       participants.name AS participant_name, participants.email AS participant_email,
       participants.company AS participant_company, participants.phone AS participant_phone
  FROM interviews
  JOIN requests USING (request_id)
  JOIN participants ON participants.participant_id = interviews.participant_id
  JOIN studies ON studies.study_id = interviews.study_id
  JOIN hosts AS moderators ON moderators.host_id = moderator_id
  LEFT JOIN hosts AS note_takers ON note_takers.host_id = note_taker_id;

CREATE VIEW notice_details AS
SELECT notices.*, name, email, company
  FROM notices LEFT JOIN participants USING (participant_id);
