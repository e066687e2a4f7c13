-- What other services told, kept as this service's own copy.

CREATE TABLE sessions (
    session_id         text PRIMARY KEY,
    interview_id       text,
    participant_id     text NOT NULL,
    study_id           text,
    completed_at       timestamptz NOT NULL,
    transcript_url     text,
    transcript_format  text,
    transcript_sha256  text,
    segment            jsonb NOT NULL,
    listening          jsonb NOT NULL,
    erased_at          timestamptz,
    UNIQUE (session_id, participant_id),
    CHECK (num_nonnulls(transcript_url, transcript_format, transcript_sha256) IN (0, 3)),
    CONSTRAINT nothing_leads_to_an_erased_persons_words CHECK (erased_at IS NULL OR transcript_url IS NULL)
);
CREATE INDEX sessions_by_participant ON sessions (participant_id);
CREATE INDEX sessions_by_time ON sessions (completed_at DESC);

CREATE TABLE features (
    feature_id text PRIMARY KEY,
    title      text NOT NULL,
    status     text NOT NULL,
    version    bigint NOT NULL
);

CREATE TABLE impacts (
    feature_id               text NOT NULL,
    kpi_id                   text NOT NULL,
    version                  bigint NOT NULL,
    effect                   double precision NOT NULL,
    effect_low               double precision NOT NULL,
    effect_high              double precision NOT NULL,
    confidence               double precision NOT NULL,
    unit                     text,
    verdict                  text NOT NULL,
    smallest_visible_effect  double precision,
    released_at              timestamptz NOT NULL,
    assessed_at              timestamptz NOT NULL,
    PRIMARY KEY (feature_id, kpi_id)
);

-- An erasure may overtake a session of the same person. The hash recognises that session; the id itself is forgotten.
CREATE TABLE erasures (
    participant_hash bytea PRIMARY KEY,
    alias            text NOT NULL UNIQUE,
    erased_at        timestamptz NOT NULL
);

CREATE TABLE insights (
    insight_id        text PRIMARY KEY,
    version           bigint NOT NULL CHECK (version >= 1),
    withdrawn         boolean NOT NULL,
    session_id        text NOT NULL,
    participant_id    text NOT NULL,
    feature_id        text,  -- no reference: roadmap may tell about the feature later
    quote             text CHECK (quote <> ''),
    turn              integer CHECK (turn >= 1),
    start_char        integer CHECK (start_char >= 0),  -- in code points of the turn's text
    end_char          integer CHECK (end_char > start_char),
    start_seconds     double precision,  -- unknown where the transcript has no times
    end_seconds       double precision,
    transcript_sha256 text,  -- of the file the turn and its offsets belong to
    tags              text[] NOT NULL CHECK (cardinality(tags) <= 50),
    sentiment         text CHECK (sentiment IN ('negative', 'mixed', 'neutral', 'positive')),
    sentiment_source  text NOT NULL DEFAULT 'human' CHECK (sentiment_source IN ('human', 'suggested')),
    importance        smallint NOT NULL CHECK (importance BETWEEN 0 AND 3),
    coder_id          text NOT NULL,
    tagged_at         timestamptz NOT NULL,
    -- An insight is always of its session's participant; when the session is anonymised, so are its insights.
    FOREIGN KEY (session_id, participant_id) REFERENCES sessions (session_id, participant_id) ON UPDATE CASCADE,
    CHECK (num_nonnulls(turn, start_char, end_char, transcript_sha256) IN (0, 4)),
    CHECK (start_seconds IS NULL OR turn IS NOT NULL),
    CHECK (num_nonnulls(start_seconds, end_seconds) IN (0, 2)),
    CONSTRAINT only_a_quote_has_a_place CHECK (turn IS NULL OR quote IS NOT NULL)
);
CREATE INDEX insights_by_session ON insights (session_id, tagged_at DESC);
CREATE INDEX insights_by_feature ON insights (feature_id, tagged_at DESC) WHERE feature_id IS NOT NULL;
CREATE INDEX insights_by_time ON insights (tagged_at DESC);
CREATE INDEX insights_by_tag ON insights USING gin (tags);

CREATE VIEW session_overview AS
SELECT sessions.*,
       (SELECT count(*) FROM insights
         WHERE insights.session_id = sessions.session_id AND NOT insights.withdrawn) AS insights
  FROM sessions;
