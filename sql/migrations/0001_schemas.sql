-- The schemas, and the record of which migrations have been applied.

CREATE SCHEMA warehouse;
CREATE SCHEMA analytics;
CREATE SCHEMA quality;
CREATE SCHEMA ops;

COMMENT ON SCHEMA warehouse IS 'Dimensions and facts: one conformed model over all datasets';
COMMENT ON SCHEMA analytics IS 'Marts computed from the warehouse, for people and dashboards';
COMMENT ON SCHEMA quality IS 'Check results and their history, the row ledger, the quarantine';
COMMENT ON SCHEMA ops IS 'How the platform itself is doing: migrations, what has been loaded';

CREATE TABLE ops.schema_migrations (
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (name)
);

COMMENT ON TABLE ops.schema_migrations IS 'One row per applied file of sql/migrations';
COMMENT ON COLUMN ops.schema_migrations.name IS 'File name, for example 0001_schemas.sql';
COMMENT ON COLUMN ops.schema_migrations.sha256 IS 'Hash of the file as it was applied; a different file of that name is refused';
COMMENT ON COLUMN ops.schema_migrations.applied_at IS 'When it was applied';

CREATE TABLE ops.loaded_slices (
    table_name  text COLLATE "C" NOT NULL,
    dataset     text COLLATE "C" NOT NULL,
    source_file text COLLATE "C" NOT NULL,
    slice_id    text        NOT NULL,
    loaded_rows bigint      NOT NULL,
    loaded_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT loaded_slices_pkey PRIMARY KEY (table_name, dataset, source_file),
    CONSTRAINT loaded_slices_rows_not_negative CHECK (loaded_rows >= 0)
);

COMMENT ON TABLE ops.loaded_slices IS
    'Which version of which raw file a table holds; written in the transaction that writes its rows';
COMMENT ON COLUMN ops.loaded_slices.table_name IS 'Table that holds the rows, with its schema';
COMMENT ON COLUMN ops.loaded_slices.dataset IS 'Dataset the file belongs to';
COMMENT ON COLUMN ops.loaded_slices.source_file IS 'Raw file, relative to the folder of its dataset';
COMMENT ON COLUMN ops.loaded_slices.slice_id IS 'Version of the rows: changes with the content of the file or the code that reads it';
COMMENT ON COLUMN ops.loaded_slices.loaded_rows IS 'Rows of the file in the table';
COMMENT ON COLUMN ops.loaded_slices.loaded_at IS 'When they were loaded';
