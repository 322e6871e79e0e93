-- Which file was loaded into which table when, and by whom: the loads of the audit trail, file by file.
CREATE VIEW ops.file_history AS
SELECT
    entry.entry_id,
    entry.recorded_at,
    entry.object AS table_name,
    file.dataset,
    file.source_file,
    file.change,
    file.loaded_rows,
    file.slice_id,
    entry.run_id,
    entry.step,
    entry.actor_role
FROM ops.audit_log AS entry
CROSS JOIN LATERAL jsonb_to_recordset(
    CASE jsonb_typeof(entry.details -> 'files') WHEN 'array' THEN entry.details -> 'files' ELSE '[]' END
) AS file (
    dataset text, source_file text, change text, loaded_rows bigint, slice_id text
)
WHERE entry.kind = 'load';

COMMENT ON VIEW ops.file_history IS 'Every file that a load brought, changed or removed, with the run that did it';
COMMENT ON COLUMN ops.file_history.entry_id IS 'Entry of the audit trail that says so';
COMMENT ON COLUMN ops.file_history.recorded_at IS 'When it was loaded';
COMMENT ON COLUMN ops.file_history.table_name IS 'Table, with its schema';
COMMENT ON COLUMN ops.file_history.dataset IS 'Dataset the file belongs to';
COMMENT ON COLUMN ops.file_history.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN ops.file_history.change IS 'new, changed or removed';
COMMENT ON COLUMN ops.file_history.loaded_rows IS 'Rows of the file in the table afterwards; before it was removed';
COMMENT ON COLUMN ops.file_history.slice_id IS 'Version of the rows, as in ops.loaded_slices';
COMMENT ON COLUMN ops.file_history.run_id IS 'Run that loaded it';
COMMENT ON COLUMN ops.file_history.step IS 'Step of the run';
COMMENT ON COLUMN ops.file_history.actor_role IS 'Role that loaded it';
