-- Checks come to pass, warn or fail, against two thresholds; rows may wait for a reference; the contract is named.

DROP VIEW quality.scorecard;

ALTER TABLE quality.check_results
    ADD COLUMN kind             text,
    ADD COLUMN verdict          text,
    ADD COLUMN shuts_gate       boolean,
    ADD COLUMN rows_pending     bigint CHECK (rows_pending >= 0),
    ADD COLUMN rows_resolved    bigint CHECK (rows_resolved >= 0),
    ADD COLUMN warn_threshold   double precision,
    ADD COLUMN note             text,
    ADD COLUMN contract_version text;

UPDATE quality.check_results
SET kind = CASE
        WHEN rule IN ('completeness', 'uniqueness', 'validity', 'freshness') THEN 'score'
        WHEN rule IN ('ledger_balances', 'files_readable') THEN 'files'
        ELSE 'rule'
    END;

UPDATE quality.check_results
SET verdict = CASE
        WHEN passed THEN 'pass'
        WHEN severity = 'error' AND kind <> 'rule' THEN 'fail'
        ELSE 'warn'
    END,
    shuts_gate = severity = 'error' AND kind <> 'rule',
    warn_threshold = CASE WHEN kind = 'rule' THEN threshold END,
    threshold = CASE WHEN kind <> 'rule' THEN threshold END,
    rows_pending = 0,
    rows_resolved = 0,
    note = '';

ALTER TABLE quality.check_results
    ALTER COLUMN kind SET NOT NULL,
    ALTER COLUMN verdict SET NOT NULL,
    ALTER COLUMN shuts_gate SET NOT NULL,
    ALTER COLUMN rows_pending SET NOT NULL,
    ALTER COLUMN rows_resolved SET NOT NULL,
    ALTER COLUMN note SET NOT NULL,
    ADD CONSTRAINT check_results_kind CHECK (kind IN ('score', 'rule', 'drift', 'files')),
    ADD CONSTRAINT check_results_verdict CHECK (verdict IN ('pass', 'warn', 'fail')),
    ADD CONSTRAINT check_results_passed CHECK (passed = (verdict = 'pass'));

COMMENT ON COLUMN quality.check_results.kind IS 'What the check looks at: score, rule, drift or files';
COMMENT ON COLUMN quality.check_results.verdict IS 'pass, warn or fail';
COMMENT ON COLUMN quality.check_results.passed IS 'Whether the verdict is pass';
COMMENT ON COLUMN quality.check_results.shuts_gate IS 'Whether failing holds the dataset''s news back';
COMMENT ON COLUMN quality.check_results.rows_pending IS 'Rows whose reference may still come; not among those that failed';
COMMENT ON COLUMN quality.check_results.rows_resolved IS 'Rows whose reference came since the evaluation before';
COMMENT ON COLUMN quality.check_results.threshold IS 'From which score on the check does not fail; for freshness, up to how many hours; null when no score fails it';
COMMENT ON COLUMN quality.check_results.warn_threshold IS 'From which score on it does not warn; for freshness, up to how many hours';
COMMENT ON COLUMN quality.check_results.note IS 'What else a person should know';
COMMENT ON COLUMN quality.check_results.contract_version IS 'Number and fingerprint of the contract the rows were judged by; null before they were kept';

-- What was known last about every check, whether or not later runs evaluated it.
CREATE VIEW quality.scorecard AS
SELECT DISTINCT ON (dataset, dimension, rule)
    dataset,
    dimension,
    rule,
    score,
    verdict,
    threshold,
    warn_threshold,
    passed,
    severity,
    rows_checked,
    rows_failed,
    rows_pending,
    note,
    contract_version,
    evaluated_at,
    as_of_date,
    run_id
FROM quality.check_results
WHERE kind = 'score'
ORDER BY dataset, dimension, rule, evaluated_at DESC, run_id DESC;

COMMENT ON VIEW quality.scorecard IS 'The latest value of every score, with its thresholds';
COMMENT ON COLUMN quality.scorecard.dataset IS 'Dataset';
COMMENT ON COLUMN quality.scorecard.dimension IS 'completeness, uniqueness, validity, consistency or timeliness';
COMMENT ON COLUMN quality.scorecard.rule IS 'Name of the score';
COMMENT ON COLUMN quality.scorecard.score IS 'Its value: a share 0 to 1, for freshness hours; null when there was nothing to judge';
COMMENT ON COLUMN quality.scorecard.verdict IS 'pass, warn or fail';
COMMENT ON COLUMN quality.scorecard.threshold IS 'From which score on it does not fail; null when no score fails it';
COMMENT ON COLUMN quality.scorecard.warn_threshold IS 'From which score on it does not warn';
COMMENT ON COLUMN quality.scorecard.passed IS 'Whether the verdict is pass';
COMMENT ON COLUMN quality.scorecard.severity IS 'What a failure means';
COMMENT ON COLUMN quality.scorecard.rows_checked IS 'Rows or cells looked at';
COMMENT ON COLUMN quality.scorecard.rows_failed IS 'Rows or cells that failed';
COMMENT ON COLUMN quality.scorecard.rows_pending IS 'Rows whose reference may still come';
COMMENT ON COLUMN quality.scorecard.note IS 'What else a person should know';
COMMENT ON COLUMN quality.scorecard.contract_version IS 'The contract it was judged by';
COMMENT ON COLUMN quality.scorecard.evaluated_at IS 'When it was evaluated';
COMMENT ON COLUMN quality.scorecard.as_of_date IS 'Day the run was computed for';
COMMENT ON COLUMN quality.scorecard.run_id IS 'Run that evaluated it';
