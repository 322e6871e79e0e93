-- Which backups were made, and whether they were seen to restore.

CREATE TABLE ops.backups (
    name         text COLLATE "C" NOT NULL,
    folder       text        NOT NULL,
    started_at   timestamptz NOT NULL,
    cut_at       timestamptz NOT NULL,
    finished_at  timestamptz NOT NULL,
    bytes        bigint      NOT NULL,
    tables       integer     NOT NULL,
    rows         bigint      NOT NULL,
    is_encrypted boolean     NOT NULL,
    verified_at  timestamptz,
    is_sound     boolean,
    problem      text,
    deleted_at   timestamptz,
    CONSTRAINT backups_pkey PRIMARY KEY (name),
    CONSTRAINT backups_counts_not_negative CHECK (bytes >= 0 AND tables >= 0 AND rows >= 0),
    CONSTRAINT backups_times_in_order CHECK (started_at <= cut_at AND cut_at <= finished_at),
    CONSTRAINT backups_verdict_has_a_time CHECK ((verified_at IS NULL) = (is_sound IS NULL)),
    CONSTRAINT backups_problem_only_when_unsound CHECK ((problem IS NOT NULL) = (is_sound IS FALSE))
);

COMMENT ON TABLE ops.backups IS 'One row per backup that this warehouse knows of; the backups themselves are folders';
COMMENT ON COLUMN ops.backups.name IS 'Name of its folder: when its making began, in UTC';
COMMENT ON COLUMN ops.backups.folder IS 'Where it was written';
COMMENT ON COLUMN ops.backups.started_at IS 'When its making began';
COMMENT ON COLUMN ops.backups.cut_at IS 'The moment whose state it holds';
COMMENT ON COLUMN ops.backups.finished_at IS 'When it was complete';
COMMENT ON COLUMN ops.backups.bytes IS 'Size of its files';
COMMENT ON COLUMN ops.backups.tables IS 'Number of PostgreSQL tables in it';
COMMENT ON COLUMN ops.backups.rows IS 'Number of their rows';
COMMENT ON COLUMN ops.backups.is_encrypted IS 'Whether it can be opened with PLATFORM_BACKUP_KEY only';
COMMENT ON COLUMN ops.backups.verified_at IS 'When it was last restored into a scratch server and compared';
COMMENT ON COLUMN ops.backups.is_sound IS 'Whether everything was then as it was when it was made';
COMMENT ON COLUMN ops.backups.problem IS 'What was not';
COMMENT ON COLUMN ops.backups.deleted_at IS 'When retention deleted its folder';
