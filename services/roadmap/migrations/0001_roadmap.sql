-- Ideas, who supports them, what customers they stand for, and the priority that follows.

CREATE TABLE ideas (
    feature_id        text PRIMARY KEY,
    title             text NOT NULL CHECK (title <> ''),
    description       text NOT NULL DEFAULT '',
    status            text NOT NULL DEFAULT 'new'
                      CHECK (status IN ('new', 'considered', 'planned', 'now', 'shipped', 'declined')),
    -- 0: known from votes or insights alone, nobody has named it yet.
    status_version    integer NOT NULL DEFAULT 0 CHECK (status_version >= 0),
    status_note       text,
    status_changed_at timestamptz NOT NULL,
    released_at       timestamptz,
    -- Null: nobody has estimated it.
    effort_weeks      double precision CHECK (effort_weeks > 0),
    kpi_ids           text[] NOT NULL DEFAULT '{}',
    -- Sum of support_counts.people, kept here to sort by.
    supporters        integer NOT NULL DEFAULT 0 CHECK (supporters >= 0),
    created_at        timestamptz NOT NULL,
    CHECK ((status = 'shipped') = (released_at IS NOT NULL))
);
CREATE INDEX ideas_by_supporters ON ideas (supporters DESC, feature_id);
CREATE INDEX ideas_by_kpi ON ideas USING gin (kpi_ids);

-- Everybody who ever took part, with the latest snapshot of who they are. An erased person keeps a bare row, so that
-- events which come late do not bring them back.
CREATE TABLE people (
    person_id text PRIMARY KEY,
    cell      text,
    segment   jsonb,
    -- When the snapshot was true; -infinity for one that says nothing, so that any other replaces it.
    seen_at   timestamptz NOT NULL,
    erased_at timestamptz,
    CHECK ((erased_at IS NULL) = (cell IS NOT NULL)),
    CHECK ((erased_at IS NULL) = (segment IS NOT NULL))
);

-- How many people who are not erased each cell holds.
CREATE TABLE active_counts (
    cell   text PRIMARY KEY,
    people integer NOT NULL CHECK (people >= 0)
);

-- How many customers each cell holds; empty: nobody knows, so votes count as they come.
CREATE TABLE population (
    cell      text PRIMARY KEY,
    customers double precision NOT NULL CHECK (customers >= 0 AND customers < 'infinity')
);

-- One vote per person and idea; a withdrawn one stays, so that an older event does not bring it back.
CREATE TABLE votes (
    feature_id  text NOT NULL REFERENCES ideas,
    voter_id    text NOT NULL,
    vote        text NOT NULL CHECK (vote IN ('up', 'withdrawn')),
    voted_at    timestamptz NOT NULL,
    voter_kind  text NOT NULL CHECK (voter_kind IN ('customer', 'prospect', 'team', 'anonymous')),
    channel     text NOT NULL,
    recorded_by text,
    source_url  text,
    PRIMARY KEY (feature_id, voter_id)
);
CREATE INDEX votes_by_voter ON votes (voter_id);

-- The highest version of each insight; withdrawn ones stay for the sake of their version.
CREATE TABLE insights (
    insight_id     text PRIMARY KEY,
    version        integer NOT NULL CHECK (version >= 1),
    withdrawn      boolean NOT NULL,
    feature_id     text REFERENCES ideas,
    participant_id text NOT NULL,
    session_id     text,
    quote          text,
    sentiment      text,
    importance     smallint NOT NULL CHECK (importance BETWEEN 0 AND 3),
    tagged_at      timestamptz NOT NULL
);
CREATE INDEX insights_by_feature ON insights (feature_id, participant_id) WHERE NOT withdrawn;
CREATE INDEX insights_by_participant ON insights (participant_id);

-- Who supports an idea, by vote or in an interview, each person once; counted in exactly the cell that stands here.
CREATE TABLE supporters (
    feature_id text NOT NULL REFERENCES ideas,
    person_id  text NOT NULL REFERENCES people,
    cell       text NOT NULL,
    -- The person's latest word in an interview; null for somebody who only voted.
    importance smallint CHECK (importance BETWEEN 0 AND 3),
    PRIMARY KEY (feature_id, person_id)
);
CREATE INDEX supporters_by_person ON supporters (person_id);

-- Sums over supporters, moved by the statement that moves those.
CREATE TABLE support_counts (
    feature_id        text NOT NULL REFERENCES ideas,
    cell              text NOT NULL,
    people            integer NOT NULL CHECK (people >= 0),
    importance_sum    integer NOT NULL CHECK (importance_sum >= 0),
    importance_people integer NOT NULL CHECK (importance_people BETWEEN 0 AND people),
    PRIMARY KEY (feature_id, cell)
);

-- The score as last published.
CREATE TABLE priorities (
    feature_id     text PRIMARY KEY REFERENCES ideas,
    version        integer NOT NULL CHECK (version >= 1),
    score          double precision NOT NULL CHECK (score >= 0 AND score < 'infinity'),
    previous_score double precision,
    changed_at     timestamptz NOT NULL
);

-- The latest value of each KPI over all customers.
CREATE TABLE kpis (
    kpi_id      text PRIMARY KEY,
    name        text,
    unit        text,
    value       double precision NOT NULL,
    period_end  timestamptz NOT NULL,
    measured_at timestamptz NOT NULL
);

-- Where a KPI came from and is to go. Apart from its values, since not everybody who measures knows the objective.
CREATE TABLE objectives (
    kpi_id   text PRIMARY KEY,
    baseline double precision NOT NULL,
    target   double precision NOT NULL,
    set_at   timestamptz NOT NULL
);

-- What a shipped idea did to a KPI; may come before anything else is known of the idea.
CREATE TABLE impacts (
    feature_id              text NOT NULL,
    kpi_id                  text NOT NULL,
    version                 integer NOT NULL CHECK (version >= 1),
    released_at             timestamptz NOT NULL,
    effect                  double precision NOT NULL,
    effect_low              double precision NOT NULL,
    effect_high             double precision NOT NULL,
    confidence              double precision NOT NULL,
    unit                    text,
    verdict                 text NOT NULL CHECK (verdict IN ('improved', 'worsened', 'no_visible_change', 'cannot_tell')),
    smallest_visible_effect double precision,
    periods_after           integer NOT NULL,
    assessed_at             timestamptz NOT NULL,
    PRIMARY KEY (feature_id, kpi_id)
);
