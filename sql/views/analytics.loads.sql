CREATE VIEW analytics.loads AS
SELECT
    table_name,
    dataset,
    source_file,
    loaded_rows,
    loaded_at
FROM ops.loaded_slices;

COMMENT ON VIEW analytics.loads IS 'What is loaded: one row per table and raw file whose rows it holds';
COMMENT ON COLUMN analytics.loads.table_name IS 'Table that holds the rows, with its schema';
COMMENT ON COLUMN analytics.loads.dataset IS 'Dataset the file belongs to';
COMMENT ON COLUMN analytics.loads.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN analytics.loads.loaded_rows IS 'Rows of the file in the table';
COMMENT ON COLUMN analytics.loads.loaded_at IS 'When they were loaded';
