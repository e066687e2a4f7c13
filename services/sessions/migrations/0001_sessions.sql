-- Sessions, the guides they follow, and what is said, asked and noted in them.

CREATE TABLE sessions (
    session_id        text PRIMARY KEY,
    participant_id    text NOT NULL,
    state             text NOT NULL CHECK (state IN ('planned', 'running', 'completed', 'cancelled')),
    interview_id      text UNIQUE,
    interview_version integer CHECK (interview_version >= 1),
    request_id        text,
    study_id          text,
    moderator_id      text,
    note_taker_id     text,
    starts_at         timestamptz,
    ends_at           timestamptz,
    timezone          text NOT NULL,
    questions         text[] NOT NULL,
    segment           jsonb NOT NULL,
    started_at        timestamptz,
    completed_at      timestamptz,
    guide_version     integer,
    guide_questions   text[],
    listening         jsonb,
    erased_at         timestamptz,
    CHECK ((interview_id IS NULL) = (interview_version IS NULL)),
    -- A cancellation that overtook its booking knows no times.
    CHECK (starts_at IS NOT NULL OR state = 'cancelled'),
    CHECK (ends_at > starts_at),
    CHECK ((started_at IS NOT NULL) = (state IN ('running', 'completed'))),
    CHECK ((guide_questions IS NOT NULL) = (state IN ('running', 'completed'))),
    CHECK ((guide_version IS NOT NULL) = (guide_questions IS NOT NULL)),
    CHECK ((completed_at IS NOT NULL) = (state = 'completed')),
    CHECK (completed_at >= started_at),
    CHECK (erased_at IS NULL OR (request_id IS NULL AND questions = '{}'))
);
CREATE INDEX sessions_by_state ON sessions (state, starts_at);
CREATE INDEX sessions_by_participant ON sessions (participant_id);

-- Every version stays: a session says which one it followed.
CREATE TABLE guides (
    study_id     text NOT NULL,
    version      integer NOT NULL CHECK (version >= 1),
    questions    text[] NOT NULL CHECK (cardinality(questions) >= 1),
    published_by text NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (study_id, version)
);

CREATE TABLE asked_questions (
    session_id text NOT NULL REFERENCES sessions,
    number     integer NOT NULL CHECK (number >= 1),
    asked_at   timestamptz NOT NULL,
    PRIMARY KEY (session_id, number)
);

CREATE TABLE notes (
    note_id    text PRIMARY KEY,
    session_id text NOT NULL REFERENCES sessions,
    author     text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('note', 'quote', 'bookmark')),
    text       text NOT NULL,
    at_seconds double precision CHECK (at_seconds >= 0),
    written_at timestamptz NOT NULL,
    CHECK (text <> '' OR kind = 'bookmark')
);
CREATE INDEX notes_by_session ON notes (session_id, written_at);

CREATE TABLE transcripts (
    session_id  text PRIMARY KEY REFERENCES sessions,
    format      text NOT NULL CHECK (format IN ('vtt', 'srt', 'text')),
    content     bytea NOT NULL,
    sha256      text NOT NULL,
    passages    jsonb NOT NULL,
    moderator   text,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL
);

-- Keeps a late event from bringing back who was forgotten; the id itself is not kept.
CREATE TABLE erasures (
    participant_sha256 bytea PRIMARY KEY,
    erased_at          timestamptz NOT NULL
);
