-- What became of every line that was set aside: seen, corrected, judged again, given up.

ALTER TABLE quality.quarantine ADD COLUMN content_hash text;

COMMENT ON COLUMN quality.quarantine.raw IS 'The line that was judged: as it stood in the file, or as it was corrected';
COMMENT ON COLUMN quality.quarantine.content_hash IS 'Hash of the bytes of the file the line is of';

UPDATE quality.quarantine AS line
SET content_hash = ledger.content_hash
FROM quality.row_ledger AS ledger
WHERE ledger.dataset = line.dataset AND ledger.source_file = line.source_file;

ALTER TABLE quality.row_ledger
    ADD COLUMN rows_corrected bigint NOT NULL DEFAULT 0 CHECK (rows_corrected >= 0);

COMMENT ON COLUMN quality.row_ledger.rows_corrected IS
    'Rows of the file that people corrected; each is among the quarantined, duplicate or loaded, too';

CREATE TABLE quality.quarantine_history (
    event_id         bigint GENERATED ALWAYS AS IDENTITY,
    event_at         timestamptz NOT NULL DEFAULT now(),
    event            text NOT NULL CHECK (event IN (
        'quarantined', 'corrected', 'kept', 'replayed', 'duplicate', 'discarded', 'superseded')),
    dataset          text COLLATE "C" NOT NULL,
    source_file      text COLLATE "C" NOT NULL,
    source_row       bigint NOT NULL CHECK (source_row >= 0),
    kind             text NOT NULL,
    reasons          text,
    raw              text,
    content_hash     text,
    contract_version text,
    run_id           text COLLATE "C",
    actor            text,
    why              text,
    CONSTRAINT quarantine_history_pkey PRIMARY KEY (event_id)
);

CREATE INDEX quarantine_history_row_idx ON quality.quarantine_history (dataset, source_file, source_row, event_id);
CREATE INDEX quarantine_history_run_idx ON quality.quarantine_history (run_id);
CREATE INDEX quarantine_history_corrected_idx ON quality.quarantine_history (dataset, source_file)
    WHERE event = 'corrected';

COMMENT ON TABLE quality.quarantine_history IS
    'What happened to every line that was ever set aside; rows are added, never changed';
COMMENT ON COLUMN quality.quarantine_history.event_id IS 'Order of the events';
COMMENT ON COLUMN quality.quarantine_history.event_at IS 'When it was recorded';
COMMENT ON COLUMN quality.quarantine_history.event IS
    'quarantined; corrected by a person; kept (judged again, still fails); replayed (passes); duplicate (repeats another line); discarded (given up by a person); superseded (the file changed or is gone)';
COMMENT ON COLUMN quality.quarantine_history.dataset IS 'Dataset';
COMMENT ON COLUMN quality.quarantine_history.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN quality.quarantine_history.source_row IS 'Line of the raw file; 0 is the file as a whole';
COMMENT ON COLUMN quality.quarantine_history.kind IS 'row (broke a rule), line (could not be taken apart) or file (refused)';
COMMENT ON COLUMN quality.quarantine_history.reasons IS 'Why it was set aside: now, or until then';
COMMENT ON COLUMN quality.quarantine_history.raw IS 'The line that the event speaks of; of a correction, the new one';
COMMENT ON COLUMN quality.quarantine_history.content_hash IS 'Hash of the bytes of the file at that time';
COMMENT ON COLUMN quality.quarantine_history.contract_version IS 'Contract the line was judged by';
COMMENT ON COLUMN quality.quarantine_history.run_id IS 'Run that found it out; null for what a person did';
COMMENT ON COLUMN quality.quarantine_history.actor IS 'Who did it; null for what a run found out';
COMMENT ON COLUMN quality.quarantine_history.why IS 'What is known about the reason of the event';

INSERT INTO quality.quarantine_history (
    event, dataset, source_file, source_row, kind, reasons, raw, content_hash, why)
SELECT
    'quarantined', dataset, source_file, source_row, kind, reasons, raw, content_hash,
    'in quarantine before its history was kept'
FROM quality.quarantine
ORDER BY dataset, source_file, source_row;

-- A line that leaves the quarantine and comes back starts anew: what counts is since it was last set aside.
CREATE VIEW quality.quarantine_status AS
SELECT
    line.dataset,
    line.source_file,
    line.source_row,
    line.kind,
    line.reasons,
    line.raw,
    line.content_hash,
    history.first_seen_at,
    history.last_event_at,
    coalesce(history.attempts, 0) AS attempts,
    CASE WHEN history.discarded > coalesce(history.corrected, 0) THEN 'discarded' ELSE 'pending' END AS status
FROM quality.quarantine AS line
LEFT JOIN LATERAL (
    SELECT
        min(event.event_at) AS first_seen_at,
        max(event.event_at) AS last_event_at,
        count(*) FILTER (WHERE event.event = 'kept') AS attempts,
        max(event.event_id) FILTER (WHERE event.event = 'discarded') AS discarded,
        max(event.event_id) FILTER (WHERE event.event = 'corrected') AS corrected
    FROM quality.quarantine_history AS event
    WHERE event.dataset = line.dataset
        AND event.source_file = line.source_file
        AND event.source_row = line.source_row
        AND event.event_id >= (
            SELECT max(born.event_id)
            FROM quality.quarantine_history AS born
            WHERE born.dataset = line.dataset
                AND born.source_file = line.source_file
                AND born.source_row = line.source_row
                AND born.event = 'quarantined'
        )
) AS history ON true;

COMMENT ON VIEW quality.quarantine_status IS 'What is set aside now, since when, how often it was tried again, and whether it was given up';
COMMENT ON COLUMN quality.quarantine_status.dataset IS 'Dataset';
COMMENT ON COLUMN quality.quarantine_status.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN quality.quarantine_status.source_row IS 'Line of the raw file; 0 is the file as a whole';
COMMENT ON COLUMN quality.quarantine_status.kind IS 'row (breaks a rule), line (could not be taken apart) or file (refused)';
COMMENT ON COLUMN quality.quarantine_status.reasons IS 'The rules it breaks, or why it could not be read';
COMMENT ON COLUMN quality.quarantine_status.raw IS 'The line that was judged';
COMMENT ON COLUMN quality.quarantine_status.content_hash IS 'Hash of the bytes of the file the line is of';
COMMENT ON COLUMN quality.quarantine_status.first_seen_at IS 'When it was set aside';
COMMENT ON COLUMN quality.quarantine_status.last_event_at IS 'When something happened to it last';
COMMENT ON COLUMN quality.quarantine_status.attempts IS 'How often it was judged anew and failed again';
COMMENT ON COLUMN quality.quarantine_status.status IS 'pending, or discarded by a person and not corrected since';
