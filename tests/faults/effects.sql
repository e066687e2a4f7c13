-- Evidence for the checker: every row that a service really wrote, in the order it was written. Rolled back with it.
CREATE SCHEMA faults;
CREATE TABLE faults.effects (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service  text NOT NULL,
    relation text NOT NULL,
    entity   text NOT NULL,
    mark     text NOT NULL,
    tx       xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- As its owner: a service's role may write to its own schema only. Arguments: the key's columns, the column of the mark.
CREATE FUNCTION faults.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO faults.effects (service, relation, entity, mark)
    SELECT TG_TABLE_SCHEMA, TG_TABLE_NAME, string_agg(to_jsonb(NEW) ->> name, '/' ORDER BY place),
           to_jsonb(NEW) ->> TG_ARGV[1]
      FROM unnest(string_to_array(TG_ARGV[0], ',')) WITH ORDINALITY AS given (name, place);
    RETURN NULL;
END
$$;

-- Guarded by the inbox: a second write is a second effect, even if it says the same.
CREATE TRIGGER faults AFTER INSERT OR UPDATE ON insights.sessions
   FOR EACH ROW EXECUTE FUNCTION faults.note('session_id', 'study_id');
CREATE TRIGGER faults AFTER INSERT OR UPDATE ON insights.features
   FOR EACH ROW EXECUTE FUNCTION faults.note('feature_id', 'title');
CREATE TRIGGER faults AFTER INSERT OR UPDATE ON kpi.features
   FOR EACH ROW EXECUTE FUNCTION faults.note('feature_id', 'title');
CREATE TRIGGER faults AFTER INSERT OR UPDATE ON scheduling.features
   FOR EACH ROW EXECUTE FUNCTION faults.note('feature_id', 'version');
CREATE TRIGGER faults AFTER INSERT ON scheduling.requests
   FOR EACH ROW EXECUTE FUNCTION faults.note('request_id', 'request_id');
CREATE TRIGGER faults AFTER INSERT ON sessions.sessions
   FOR EACH ROW EXECUTE FUNCTION faults.note('interview_id', 'interview_version');

-- Guarded by a natural key: writing the same again is no effect, so only what changes a row counts.
CREATE TRIGGER faults_new AFTER INSERT ON roadmap.votes
   FOR EACH ROW EXECUTE FUNCTION faults.note('feature_id,voter_id', 'channel');
CREATE TRIGGER faults_changed AFTER UPDATE ON roadmap.votes
   FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION faults.note('feature_id,voter_id', 'channel');
CREATE TRIGGER faults_new AFTER INSERT ON roadmap.insights
   FOR EACH ROW EXECUTE FUNCTION faults.note('insight_id', 'version');
CREATE TRIGGER faults_changed AFTER UPDATE ON roadmap.insights
   FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION faults.note('insight_id', 'version');
CREATE TRIGGER faults_new AFTER INSERT ON kpi.evidence
   FOR EACH ROW EXECUTE FUNCTION faults.note('insight_id', 'version');
CREATE TRIGGER faults_changed AFTER UPDATE ON kpi.evidence
   FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION faults.note('insight_id', 'version');
CREATE TRIGGER faults_new AFTER INSERT ON kpi.measurements
   FOR EACH ROW EXECUTE FUNCTION faults.note('kpi_id,period_start', 'measured_at');
CREATE TRIGGER faults_changed AFTER UPDATE ON kpi.measurements
   FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
   EXECUTE FUNCTION faults.note('kpi_id,period_start', 'measured_at');
CREATE TRIGGER faults_new AFTER INSERT ON roadmap.kpis
   FOR EACH ROW EXECUTE FUNCTION faults.note('kpi_id', 'name');
CREATE TRIGGER faults_changed AFTER UPDATE ON roadmap.kpis
   FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION faults.note('kpi_id', 'name');
