-- Quality: every check result ever, what became of every raw line, and the lines that did not pass.

CREATE TABLE quality.check_results (
    run_id       text COLLATE "C"  NOT NULL,
    evaluated_at timestamptz       NOT NULL,
    dataset      text COLLATE "C"  NOT NULL,
    rule         text COLLATE "C"  NOT NULL,
    dimension    text              NOT NULL,
    severity     text              NOT NULL,
    passed       boolean           NOT NULL,
    rows_checked bigint            NOT NULL CHECK (rows_checked >= 0),
    rows_failed  bigint            NOT NULL CHECK (rows_failed >= 0),
    score        double precision,
    threshold    double precision,
    as_of_date   date,
    CONSTRAINT check_results_pkey PRIMARY KEY (run_id, dataset, rule)
);

CREATE INDEX check_results_history_idx ON quality.check_results (dataset, rule, evaluated_at DESC);

COMMENT ON TABLE quality.check_results IS 'One row per run, dataset and check; rows are added, never changed';
COMMENT ON COLUMN quality.check_results.run_id IS 'Run that evaluated the check';
COMMENT ON COLUMN quality.check_results.evaluated_at IS 'When it did';
COMMENT ON COLUMN quality.check_results.dataset IS 'Dataset';
COMMENT ON COLUMN quality.check_results.rule IS 'Rule of the contract, or the name of a score';
COMMENT ON COLUMN quality.check_results.dimension IS 'completeness, uniqueness, validity, consistency or timeliness';
COMMENT ON COLUMN quality.check_results.severity IS 'What a failure means: an error shuts the gate or breaks the row, a warning is reported';
COMMENT ON COLUMN quality.check_results.passed IS 'Whether the check passed';
COMMENT ON COLUMN quality.check_results.rows_checked IS 'Rows (for completeness: cells) looked at';
COMMENT ON COLUMN quality.check_results.rows_failed IS 'Rows (for completeness: cells) that failed, exactly';
COMMENT ON COLUMN quality.check_results.score IS 'Value of a score: a share 0 to 1, for freshness hours';
COMMENT ON COLUMN quality.check_results.threshold IS 'What the score is held against; null for a rule, which has none';
COMMENT ON COLUMN quality.check_results.as_of_date IS 'Day the run was computed for';

CREATE TABLE quality.row_ledger (
    dataset            text COLLATE "C" NOT NULL,
    source_file        text COLLATE "C" NOT NULL,
    rows_read          bigint NOT NULL CHECK (rows_read >= 0),
    rows_rejected      bigint NOT NULL CHECK (rows_rejected >= 0),
    rows_quarantined   bigint NOT NULL CHECK (rows_quarantined >= 0),
    rows_duplicate     bigint NOT NULL CHECK (rows_duplicate >= 0),
    rows_loaded        bigint NOT NULL CHECK (rows_loaded >= 0),
    amount_read        numeric(18, 4),
    amount_rejected    numeric(18, 4),
    amount_quarantined numeric(18, 4),
    amount_duplicate   numeric(18, 4),
    amount_loaded      numeric(18, 4),
    status             text NOT NULL,
    content_hash       text,
    CONSTRAINT row_ledger_pkey PRIMARY KEY (dataset, source_file),
    CONSTRAINT row_ledger_rows_balance
        CHECK (rows_read = rows_rejected + rows_quarantined + rows_duplicate + rows_loaded),
    CONSTRAINT row_ledger_amounts_all_or_none
        CHECK (num_nulls(amount_read, amount_rejected, amount_quarantined, amount_duplicate, amount_loaded) IN (0, 5)),
    CONSTRAINT row_ledger_amounts_balance
        CHECK (amount_read = amount_rejected + amount_quarantined + amount_duplicate + amount_loaded)
);

COMMENT ON TABLE quality.row_ledger IS
    'What became of every line of every raw file: read = rejected + quarantined + duplicate + loaded';
COMMENT ON COLUMN quality.row_ledger.dataset IS 'Dataset';
COMMENT ON COLUMN quality.row_ledger.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN quality.row_ledger.rows_read IS 'Records in the file, the header not counted';
COMMENT ON COLUMN quality.row_ledger.rows_rejected IS 'Records that could not be read as the contract''s columns';
COMMENT ON COLUMN quality.row_ledger.rows_quarantined IS 'Records that broke a rule of severity error';
COMMENT ON COLUMN quality.row_ledger.rows_duplicate IS 'Records that repeat an earlier one';
COMMENT ON COLUMN quality.row_ledger.rows_loaded IS 'Records that went on to the warehouse';
COMMENT ON COLUMN quality.row_ledger.amount_read IS 'Money in the file; null where the dataset has no amount';
COMMENT ON COLUMN quality.row_ledger.amount_rejected IS 'Money of the rejected records, as far as it can be read';
COMMENT ON COLUMN quality.row_ledger.amount_quarantined IS 'Money of the quarantined records';
COMMENT ON COLUMN quality.row_ledger.amount_duplicate IS 'Money of the duplicate records';
COMMENT ON COLUMN quality.row_ledger.amount_loaded IS 'Money of the loaded records';
COMMENT ON COLUMN quality.row_ledger.status IS 'What became of the file as a whole, for example loaded or refused';
COMMENT ON COLUMN quality.row_ledger.content_hash IS 'Hash of the file''s bytes';

CREATE TABLE quality.quarantine (
    dataset     text COLLATE "C" NOT NULL,
    source_file text COLLATE "C" NOT NULL,
    source_row  bigint NOT NULL CHECK (source_row >= 0),
    kind        text   NOT NULL,
    reasons     text   NOT NULL,
    raw         text,
    CONSTRAINT quarantine_pkey PRIMARY KEY (dataset, source_file, source_row)
);

COMMENT ON TABLE quality.quarantine IS 'Lines and files that did not pass, with the reason and the raw text';
COMMENT ON COLUMN quality.quarantine.dataset IS 'Dataset';
COMMENT ON COLUMN quality.quarantine.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN quality.quarantine.source_row IS 'Line of the raw file; the header of a text file is line 1, and 0 is the file as a whole';
COMMENT ON COLUMN quality.quarantine.kind IS 'How it failed: refused file, rejected or quarantined or duplicate line';
COMMENT ON COLUMN quality.quarantine.reasons IS 'The rules it broke, or why it could not be read';
COMMENT ON COLUMN quality.quarantine.raw IS 'The line as it stood in the file';

-- Only checks with a threshold are scores; a rule passes or fails and has none.
CREATE VIEW quality.scorecard AS
SELECT DISTINCT ON (dataset, dimension, rule)
    dataset,
    dimension,
    rule,
    score,
    threshold,
    passed,
    severity,
    rows_checked,
    rows_failed,
    evaluated_at,
    as_of_date,
    run_id
FROM quality.check_results
WHERE score IS NOT NULL AND threshold IS NOT NULL
ORDER BY dataset, dimension, rule, evaluated_at DESC, run_id DESC;

COMMENT ON VIEW quality.scorecard IS 'The latest value of every score, with its threshold';
COMMENT ON COLUMN quality.scorecard.dataset IS 'Dataset';
COMMENT ON COLUMN quality.scorecard.dimension IS 'completeness, uniqueness, validity or timeliness';
COMMENT ON COLUMN quality.scorecard.rule IS 'Name of the score';
COMMENT ON COLUMN quality.scorecard.score IS 'Its value: a share 0 to 1, for freshness hours';
COMMENT ON COLUMN quality.scorecard.threshold IS 'What it is held against';
COMMENT ON COLUMN quality.scorecard.passed IS 'Whether it holds';
COMMENT ON COLUMN quality.scorecard.severity IS 'What a failure means';
COMMENT ON COLUMN quality.scorecard.rows_checked IS 'Rows or cells looked at';
COMMENT ON COLUMN quality.scorecard.rows_failed IS 'Rows or cells that failed';
COMMENT ON COLUMN quality.scorecard.evaluated_at IS 'When it was evaluated';
COMMENT ON COLUMN quality.scorecard.as_of_date IS 'Day the run was computed for';
COMMENT ON COLUMN quality.scorecard.run_id IS 'Run that evaluated it';
