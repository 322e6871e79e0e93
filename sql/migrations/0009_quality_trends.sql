-- The history of the gates, what a check says in words, and the views of the scorecard.

ALTER TABLE quality.check_results ADD COLUMN description text NOT NULL DEFAULT '';

COMMENT ON COLUMN quality.check_results.description IS 'The check as a sentence';

CREATE TABLE quality.gate_history (
    run_id           text COLLATE "C" NOT NULL,
    dataset          text COLLATE "C" NOT NULL,
    evaluated_at     timestamptz      NOT NULL,
    as_of_date       date,
    contract_version text,
    has_rows         boolean          NOT NULL,
    is_open          boolean          NOT NULL,
    reasons          text             NOT NULL,
    files_held_back  bigint,
    rows_held_back   bigint,
    accepted_until   date,
    composite        double precision,
    CONSTRAINT gate_history_pkey PRIMARY KEY (run_id, dataset)
);

CREATE INDEX gate_history_latest_idx ON quality.gate_history (dataset, evaluated_at DESC);

COMMENT ON TABLE quality.gate_history IS 'One row per run and dataset: whether its gate was open; rows are added, never changed';
COMMENT ON COLUMN quality.gate_history.run_id IS 'Run that judged';
COMMENT ON COLUMN quality.gate_history.dataset IS 'Dataset';
COMMENT ON COLUMN quality.gate_history.evaluated_at IS 'When it was judged';
COMMENT ON COLUMN quality.gate_history.as_of_date IS 'Day the run was computed for';
COMMENT ON COLUMN quality.gate_history.contract_version IS 'Contract it was judged by';
COMMENT ON COLUMN quality.gate_history.has_rows IS 'Whether there was anything to judge';
COMMENT ON COLUMN quality.gate_history.is_open IS 'Whether its news moved on';
COMMENT ON COLUMN quality.gate_history.reasons IS 'Why not, one reason a line; empty when it was open';
COMMENT ON COLUMN quality.gate_history.files_held_back IS 'Files that waited behind a shut gate; null behind an open one';
COMMENT ON COLUMN quality.gate_history.rows_held_back IS 'Rows of these files';
COMMENT ON COLUMN quality.gate_history.accepted_until IS 'Day of the newest event of what was published before; null when nothing was';
COMMENT ON COLUMN quality.gate_history.composite IS 'Weighted mean of the scores, for display only: the gate goes by the worst';

CREATE TABLE quality.failing_samples (
    dataset     text COLLATE "C" NOT NULL,
    rule        text COLLATE "C" NOT NULL,
    source_file text COLLATE "C" NOT NULL,
    source_row  bigint NOT NULL CHECK (source_row >= 0),
    cells       text   NOT NULL CHECK (cells IS JSON OBJECT),
    CONSTRAINT failing_samples_pkey PRIMARY KEY (dataset, rule, source_file, source_row)
);

COMMENT ON TABLE quality.failing_samples IS 'The first few rows that break each rule, whether they were set aside or stay';
COMMENT ON COLUMN quality.failing_samples.dataset IS 'Dataset';
COMMENT ON COLUMN quality.failing_samples.rule IS 'The rule they break';
COMMENT ON COLUMN quality.failing_samples.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN quality.failing_samples.source_row IS 'Line of the raw file';
COMMENT ON COLUMN quality.failing_samples.cells IS 'Values by column as JSON, personal ones masked';

-- A run that judges nothing anew repeats what is known, with the time it was judged at: that is one evaluation.
CREATE VIEW quality.score_trend AS
SELECT
    dataset,
    dimension,
    rule,
    run_id,
    evaluated_at,
    as_of_date,
    score,
    lag(score) OVER history AS score_before,
    score - lag(score) OVER history AS change,
    verdict,
    warn_threshold,
    threshold,
    rows_checked,
    rows_failed,
    note
FROM (
    SELECT DISTINCT ON (dataset, rule, evaluated_at) *
    FROM quality.check_results
    WHERE kind = 'score'
    ORDER BY dataset, rule, evaluated_at, run_id
) AS evaluations
WINDOW history AS (PARTITION BY dataset, rule ORDER BY evaluated_at);

COMMENT ON VIEW quality.score_trend IS 'Every evaluation of every score beside the one before';
COMMENT ON COLUMN quality.score_trend.dataset IS 'Dataset';
COMMENT ON COLUMN quality.score_trend.dimension IS 'Aspect of quality';
COMMENT ON COLUMN quality.score_trend.rule IS 'Name of the score';
COMMENT ON COLUMN quality.score_trend.run_id IS 'Run that evaluated it';
COMMENT ON COLUMN quality.score_trend.evaluated_at IS 'When it did';
COMMENT ON COLUMN quality.score_trend.as_of_date IS 'Day the run was computed for';
COMMENT ON COLUMN quality.score_trend.score IS 'Its value: a share 0 to 1, for freshness hours';
COMMENT ON COLUMN quality.score_trend.score_before IS 'Its value in the evaluation before';
COMMENT ON COLUMN quality.score_trend.change IS 'The one less the other';
COMMENT ON COLUMN quality.score_trend.verdict IS 'pass, warn or fail, by the thresholds of then';
COMMENT ON COLUMN quality.score_trend.warn_threshold IS 'Where it began to warn';
COMMENT ON COLUMN quality.score_trend.threshold IS 'Where it began to fail';
COMMENT ON COLUMN quality.score_trend.rows_checked IS 'Rows, cells or files looked at';
COMMENT ON COLUMN quality.score_trend.rows_failed IS 'Rows, cells or files that failed';
COMMENT ON COLUMN quality.score_trend.note IS 'What else a person should know';

-- What every rule cost when it was evaluated last. One that the last judgement of its dataset, which evaluates all, did
-- not know any more is not among them; checks that were evaluated by themselves since are.
CREATE VIEW quality.rule_costs AS
SELECT
    c.dataset,
    c.rule,
    c.kind,
    c.dimension,
    c.severity,
    c.verdict,
    c.rows_checked,
    c.rows_failed,
    c.rows_pending,
    c.rows_resolved,
    c.rows_failed::double precision / nullif(c.rows_checked, 0) AS failed_rate,
    before.rows_failed AS rows_failed_before,
    c.rows_failed - before.rows_failed AS change,
    c.score,
    c.description,
    c.note,
    c.evaluated_at,
    c.run_id
FROM (
    SELECT DISTINCT ON (r.dataset, r.rule) r.*
    FROM quality.check_results AS r
    JOIN (SELECT dataset, max(evaluated_at) AS evaluated_at FROM quality.gate_history GROUP BY dataset) AS judged
        ON judged.dataset = r.dataset AND r.evaluated_at >= judged.evaluated_at
    WHERE r.kind <> 'score'
    ORDER BY r.dataset, r.rule, r.evaluated_at DESC, r.run_id
) AS c
LEFT JOIN LATERAL (
    SELECT p.rows_failed
    FROM quality.check_results AS p
    WHERE p.dataset = c.dataset AND p.rule = c.rule AND p.evaluated_at < c.evaluated_at
    ORDER BY p.evaluated_at DESC
    LIMIT 1
) AS before ON true;

COMMENT ON VIEW quality.rule_costs IS 'The latest result of every rule and check, with what it costs in rows';
COMMENT ON COLUMN quality.rule_costs.dataset IS 'Dataset';
COMMENT ON COLUMN quality.rule_costs.rule IS 'Rule or check';
COMMENT ON COLUMN quality.rule_costs.kind IS 'rule, drift or files';
COMMENT ON COLUMN quality.rule_costs.dimension IS 'Aspect of quality';
COMMENT ON COLUMN quality.rule_costs.severity IS 'What a failure means: an error sets the row aside, a warning is counted';
COMMENT ON COLUMN quality.rule_costs.verdict IS 'pass, warn or fail';
COMMENT ON COLUMN quality.rule_costs.rows_checked IS 'Rows looked at';
COMMENT ON COLUMN quality.rule_costs.rows_failed IS 'Rows that failed';
COMMENT ON COLUMN quality.rule_costs.rows_pending IS 'Rows that wait for their parents and have not failed yet';
COMMENT ON COLUMN quality.rule_costs.rows_resolved IS 'Rows whose parents came since the evaluation before';
COMMENT ON COLUMN quality.rule_costs.failed_rate IS 'Share of the rows looked at that failed';
COMMENT ON COLUMN quality.rule_costs.rows_failed_before IS 'Rows that failed in the evaluation before';
COMMENT ON COLUMN quality.rule_costs.change IS 'The one less the other';
COMMENT ON COLUMN quality.rule_costs.score IS 'Share that keeps the rule; for drift, its measure';
COMMENT ON COLUMN quality.rule_costs.description IS 'The rule as a sentence';
COMMENT ON COLUMN quality.rule_costs.note IS 'What else a person should know';
COMMENT ON COLUMN quality.rule_costs.evaluated_at IS 'When it was evaluated';
COMMENT ON COLUMN quality.rule_costs.run_id IS 'Run that evaluated it';

-- One row per line set aside and rule it breaks; a line or file that could not be read breaks no rule but is one.
CREATE VIEW quality.failing_rows AS
SELECT q.dataset, broken.rule, q.source_file, q.source_row, q.kind, q.reasons, q.raw
FROM quality.quarantine AS q
CROSS JOIN LATERAL unnest(
    CASE q.kind
        WHEN 'row' THEN string_to_array(q.reasons, ', ')
        WHEN 'line' THEN ARRAY['line_not_readable']
        ELSE ARRAY['file_refused']
    END
) AS broken (rule);

COMMENT ON VIEW quality.failing_rows IS 'The quarantine by rule: a line that breaks two rules is there twice';
COMMENT ON COLUMN quality.failing_rows.dataset IS 'Dataset';
COMMENT ON COLUMN quality.failing_rows.rule IS 'A rule it breaks, or line_not_readable, or file_refused';
COMMENT ON COLUMN quality.failing_rows.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN quality.failing_rows.source_row IS 'Line of the raw file; 0 is the file as a whole';
COMMENT ON COLUMN quality.failing_rows.kind IS 'row, line or file';
COMMENT ON COLUMN quality.failing_rows.reasons IS 'All rules it breaks, or why it could not be read';
COMMENT ON COLUMN quality.failing_rows.raw IS 'The line as it stood in the file';
