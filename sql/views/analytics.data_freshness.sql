-- Datasets that are not sales, such as the catalogue, are judged but not loaded file by file.
CREATE VIEW analytics.data_freshness AS
SELECT
    dataset,
    sales.newest_sale_at,
    loaded.last_loaded_at,
    coalesce(loaded.files, 0) AS sales_files,
    coalesce(loaded.sale_lines, 0)::bigint AS sale_lines,
    judged.evaluated_at AS last_judged_at,
    judged.is_open AS is_gate_open,
    judged.files_held_back
FROM (
    SELECT DISTINCT ON (dataset) dataset, evaluated_at, is_open, files_held_back
    FROM quality.gate_history
    ORDER BY dataset, evaluated_at DESC
) AS judged
FULL JOIN (
    SELECT dataset, max(loaded_at) AS last_loaded_at, count(*) AS files, sum(loaded_rows) AS sale_lines
    FROM ops.loaded_slices
    WHERE table_name = 'warehouse.fct_sales'
    GROUP BY dataset
) AS loaded USING (dataset)
LEFT JOIN (
    SELECT source_system AS dataset, max(sold_at) AS newest_sale_at
    FROM warehouse.fct_sales
    GROUP BY source_system
) AS sales USING (dataset);

COMMENT ON VIEW analytics.data_freshness IS
    'One row per dataset: how new its data are, and whether newer ones are held back';
COMMENT ON COLUMN analytics.data_freshness.dataset IS 'Dataset';
COMMENT ON COLUMN analytics.data_freshness.newest_sale_at IS 'Instant of its newest sale, UTC; null where it has none';
COMMENT ON COLUMN analytics.data_freshness.last_loaded_at IS
    'When sales of it were loaded last; null where there are none';
COMMENT ON COLUMN analytics.data_freshness.sales_files IS 'Raw files whose sales are loaded';
COMMENT ON COLUMN analytics.data_freshness.sale_lines IS 'Sale lines of it that are loaded';
COMMENT ON COLUMN analytics.data_freshness.last_judged_at IS 'When its quality was judged last';
COMMENT ON COLUMN analytics.data_freshness.is_gate_open IS
    'Whether its news moved on then; where not, what is loaded is the last good version';
COMMENT ON COLUMN analytics.data_freshness.files_held_back IS
    'Files that wait behind a shut gate; null behind an open one';
