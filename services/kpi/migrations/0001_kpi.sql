-- KPIs and their measurements, the features as roadmap tells about them, and what releases did to KPIs.

CREATE TABLE kpis (
    kpi_id           text PRIMARY KEY,
    name             text,
    unit             text,
    higher_is_better boolean NOT NULL,
    defined          boolean NOT NULL,  -- false: known only because somebody measured it
    baseline         double precision,
    target           double precision,
    due              date,
    created_at       timestamptz NOT NULL,
    CHECK ((baseline IS NULL) = (target IS NULL)),
    CHECK (due IS NULL OR target IS NOT NULL),
    CONSTRAINT an_objective_goes_somewhere CHECK (target <> baseline)
);

CREATE TABLE measurements (
    kpi_id         text NOT NULL REFERENCES kpis,
    period_start   timestamptz NOT NULL,
    period_end     timestamptz NOT NULL,
    dimensions_key text NOT NULL,  -- '' for the whole, else a hash: dimensions themselves may be too long for an index
    dimensions     jsonb NOT NULL,
    value          double precision NOT NULL CHECK (abs(value) <= 1e100),
    sample_size    bigint CHECK (sample_size >= 0),
    measured_at    timestamptz NOT NULL,
    PRIMARY KEY (kpi_id, dimensions_key, period_start, period_end),
    CHECK (period_end > period_start),
    CHECK ((dimensions_key = '') = (dimensions = '{}'))
);

-- Every feature, not only released ones: its version tells a late event from news.
CREATE TABLE features (
    feature_id  text PRIMARY KEY,
    version     bigint NOT NULL,
    title       text NOT NULL,
    released_at timestamptz,  -- null: customers do not have it, or no longer
    kpi_ids     text[] NOT NULL  -- no reference: a KPI may be measured for the first time later
);
CREATE INDEX features_by_kpi ON features USING gin (kpi_ids) WHERE released_at IS NOT NULL;
CREATE INDEX features_by_release ON features (released_at DESC) WHERE released_at IS NOT NULL;

CREATE TABLE impacts (
    feature_id       text NOT NULL REFERENCES features,
    kpi_id           text NOT NULL REFERENCES kpis,
    version          bigint NOT NULL CHECK (version >= 1),
    holds            boolean NOT NULL,  -- false: it is no release any more, or its data are not enough any more
    digest           text NOT NULL,  -- of the data and settings assessed
    released_at      timestamptz NOT NULL,
    unit             text,
    verdict          text NOT NULL CHECK (verdict IN ('improved', 'worsened', 'no_visible_change', 'cannot_tell')),
    effect           double precision NOT NULL,
    low              double precision NOT NULL,
    high             double precision NOT NULL CHECK (low <= effect AND effect <= high),
    smallest_visible double precision NOT NULL CHECK (smallest_visible >= 0),
    periods_before   integer NOT NULL,
    periods_after    integer NOT NULL,
    assessed_at      timestamptz NOT NULL,
    -- What was to be expected without the release, one element per measured period from the release on.
    path_starts      timestamptz[] NOT NULL,
    path_expected    double precision[] NOT NULL,
    path_low         double precision[] NOT NULL,
    path_high        double precision[] NOT NULL,
    PRIMARY KEY (feature_id, kpi_id)
);
CREATE INDEX impacts_by_kpi ON impacts (kpi_id);

-- Who stands behind a feature; withdrawn insights stay, so that an older version cannot bring them back.
CREATE TABLE evidence (
    insight_id     text PRIMARY KEY,
    version        bigint NOT NULL,
    withdrawn      boolean NOT NULL,
    feature_id     text,
    participant_id text NOT NULL
);
CREATE INDEX evidence_by_feature ON evidence (feature_id) WHERE NOT withdrawn;
CREATE INDEX evidence_by_participant ON evidence (participant_id);

-- An erasure may overtake an insight of the same person; the hash recognises it, the id itself is forgotten.
CREATE TABLE erasures (
    participant_hash bytea PRIMARY KEY,
    erased_at        timestamptz NOT NULL
);
