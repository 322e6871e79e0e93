-- Operations: who runs, whose loads are still wanted, and what was done by whom, in a trail that cannot be changed
-- unnoticed. Sessions of a run say who they are in the settings platform.run_id and platform.step.

CREATE TABLE ops.repeatable_files (
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    refusal    text,
    CONSTRAINT repeatable_files_pkey PRIMARY KEY (name)
);

COMMENT ON TABLE ops.repeatable_files IS 'One row per file of sql/views, and one for sql/roles.sql: run again when it changed';
COMMENT ON COLUMN ops.repeatable_files.name IS 'views/schema.name.sql of a view, or roles.sql';
COMMENT ON COLUMN ops.repeatable_files.sha256 IS 'Hash of the file as it was run last';
COMMENT ON COLUMN ops.repeatable_files.applied_at IS 'When that was';
COMMENT ON COLUMN ops.repeatable_files.refusal IS 'Why an administrator has to run it; null where that is not needed';

CREATE TABLE ops.runs (
    run_id       text COLLATE "C" NOT NULL,
    epoch        bigint GENERATED ALWAYS AS IDENTITY,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    role         text        NOT NULL,
    host         text        NOT NULL,
    code_version text        NOT NULL,
    CONSTRAINT runs_pkey PRIMARY KEY (run_id),
    CONSTRAINT runs_epoch_key UNIQUE (epoch)
);

COMMENT ON TABLE ops.runs IS 'One row per run that came to the warehouse';
COMMENT ON COLUMN ops.runs.run_id IS 'Dagster''s id of the run';
COMMENT ON COLUMN ops.runs.epoch IS 'Rises from run to run: of two runs, the higher one is newer';
COMMENT ON COLUMN ops.runs.started_at IS 'When it came to the warehouse first';
COMMENT ON COLUMN ops.runs.role IS 'Role it came as';
COMMENT ON COLUMN ops.runs.host IS 'Machine it runs on';
COMMENT ON COLUMN ops.runs.code_version IS 'Version of the platform that runs';

CREATE TABLE ops.load_fences (
    table_name text COLLATE "C" NOT NULL,
    epoch      bigint      NOT NULL,
    run_id     text COLLATE "C" NOT NULL,
    passed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT load_fences_pkey PRIMARY KEY (table_name),
    CONSTRAINT load_fences_run_fkey FOREIGN KEY (run_id) REFERENCES ops.runs (run_id)
);

COMMENT ON TABLE ops.load_fences IS
    'The newest run that has loaded each table; older ones were replaced by it and load the table no more';
COMMENT ON COLUMN ops.load_fences.table_name IS 'Table, with its schema';
COMMENT ON COLUMN ops.load_fences.epoch IS 'Epoch of that run';
COMMENT ON COLUMN ops.load_fences.run_id IS 'That run';
COMMENT ON COLUMN ops.load_fences.passed_at IS 'When it came to the table first';

CREATE TABLE ops.audit_log (
    entry_id      bigint      NOT NULL,
    recorded_at   timestamptz NOT NULL,
    actor_role    text        NOT NULL,
    login_role    text        NOT NULL,
    application   text        NOT NULL,
    run_id        text COLLATE "C",
    step          text,
    kind          text COLLATE "C" NOT NULL,
    object        text COLLATE "C" NOT NULL,
    details       jsonb       NOT NULL,
    previous_hash text        NOT NULL,
    hash          text        NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (entry_id),
    -- Every link has one successor: a fork cannot be written.
    CONSTRAINT audit_log_previous_hash_key UNIQUE (previous_hash),
    CONSTRAINT audit_log_kind_is_a_word CHECK (kind ~ '^[a-z][a-z_]*$')
);

CREATE INDEX audit_log_object_idx ON ops.audit_log (object, entry_id);
CREATE INDEX audit_log_run_idx ON ops.audit_log (run_id, entry_id);

COMMENT ON TABLE ops.audit_log IS
    'Audit trail: rows are added by ops.audit and never changed; each carries the hash of the one before (ops.audit_verify)';
COMMENT ON COLUMN ops.audit_log.entry_id IS 'Position in the trail: 1, 2, 3 without gaps';
COMMENT ON COLUMN ops.audit_log.recorded_at IS 'When it was recorded, at the end of the work it speaks of';
COMMENT ON COLUMN ops.audit_log.actor_role IS 'Role that acted';
COMMENT ON COLUMN ops.audit_log.login_role IS 'Role that had logged in';
COMMENT ON COLUMN ops.audit_log.application IS 'Program, as it calls itself';
COMMENT ON COLUMN ops.audit_log.run_id IS 'Run that acted; null for commands';
COMMENT ON COLUMN ops.audit_log.step IS 'Step of the run; null for commands';
COMMENT ON COLUMN ops.audit_log.kind IS 'What was done: load, delete, grant, export, erasure, login, migrate, backup, restore';
COMMENT ON COLUMN ops.audit_log.object IS 'To what: a table with its schema, a dataset, a file, a role';
COMMENT ON COLUMN ops.audit_log.details IS 'What else is known about it: counts, files, seconds';
COMMENT ON COLUMN ops.audit_log.previous_hash IS 'Hash of the row before; 64 zeros for the first';
COMMENT ON COLUMN ops.audit_log.hash IS 'SHA-256 of previous_hash and the text of this row (ops.audit_text)';

CREATE FUNCTION ops.refuse_to_change_audit() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'ops.audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

COMMENT ON FUNCTION ops.refuse_to_change_audit() IS 'Refuses every change to the audit trail, whoever asks for it';

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_to_change_audit();
ALTER TABLE ops.audit_log ENABLE ALWAYS TRIGGER audit_log_is_append_only;

-- Never change this function: what is hashed by it would look tampered with.
CREATE FUNCTION ops.audit_text(entry ops.audit_log) RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_array(
        entry.entry_id, to_char(entry.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), entry.actor_role,
        entry.login_role, entry.application, entry.run_id, entry.step, entry.kind, entry.object, entry.details
    )::text
$$;

COMMENT ON FUNCTION ops.audit_text(ops.audit_log) IS 'A row of the audit trail as it is hashed: a JSON array of its values';

CREATE FUNCTION ops.audit_hash(entry ops.audit_log) RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT encode(sha256(convert_to(entry.previous_hash || ops.audit_text(entry), 'UTF8')), 'hex')
$$;

COMMENT ON FUNCTION ops.audit_hash(ops.audit_log) IS 'The hash a row of the audit trail must have';

-- The chain has one writer at a time. Call this as the last statement of a transaction: until it ends, others wait.
CREATE FUNCTION ops.audit(kind text, object text, details jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry ops.audit_log;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('platform:ops.audit_log', 0));
    SELECT a.entry_id, a.hash INTO entry.entry_id, entry.previous_hash
    FROM ops.audit_log AS a ORDER BY a.entry_id DESC LIMIT 1;
    entry.entry_id := coalesce(entry.entry_id, 0) + 1;
    entry.previous_hash := coalesce(entry.previous_hash, repeat('0', 64));
    entry.recorded_at := clock_timestamp();
    -- The role that called: within this function, current_user is its owner.
    entry.actor_role := coalesce(nullif(current_setting('role'), 'none'), session_user);
    entry.login_role := session_user;
    entry.application := current_setting('application_name');
    entry.run_id := nullif(current_setting('platform.run_id', true), '');
    entry.step := nullif(current_setting('platform.step', true), '');
    entry.kind := audit.kind;
    entry.object := audit.object;
    entry.details := coalesce(audit.details, '{}');
    entry.hash := ops.audit_hash(entry);
    INSERT INTO ops.audit_log SELECT entry.*;
    RETURN entry.hash;
END
$$;

COMMENT ON FUNCTION ops.audit(text, text, jsonb) IS
    'Adds a row to the audit trail, in the transaction it speaks of, as its last statement; returns its hash';

CREATE FUNCTION ops.audit_verify() RETURNS TABLE (entry_id bigint, problem text)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT link.position, link.problem
    FROM (
        SELECT
            row_number() OVER trail AS position,
            CASE
                WHEN entry.entry_id <> row_number() OVER trail THEN 'the entry is missing'
                WHEN entry.previous_hash <> lag(entry.hash, 1, repeat('0', 64)) OVER trail
                    THEN 'it does not follow the entry before it'
                WHEN entry.hash <> ops.audit_hash(entry) THEN 'it was changed after it had been recorded'
            END AS problem
        FROM ops.audit_log AS entry
        WINDOW trail AS (ORDER BY entry.entry_id)
    ) AS link
    WHERE link.problem IS NOT NULL
    ORDER BY link.position
    LIMIT 1
$$;

COMMENT ON FUNCTION ops.audit_verify() IS 'The first broken link of the audit trail; no row when it is whole';

CREATE FUNCTION ops.register_run(run_id text, host text, code_version text)
RETURNS TABLE (epoch bigint, is_new boolean)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT r.epoch, false FROM ops.runs AS r WHERE r.run_id = register_run.run_id;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    INSERT INTO ops.runs AS r (run_id, role, host, code_version)
    VALUES (
        register_run.run_id, coalesce(nullif(current_setting('role'), 'none'), session_user), register_run.host,
        register_run.code_version
    )
    ON CONFLICT DO NOTHING
    RETURNING r.epoch, true;
    IF NOT FOUND THEN
        RETURN QUERY SELECT r.epoch, false FROM ops.runs AS r WHERE r.run_id = register_run.run_id;
    END IF;
END
$$;

COMMENT ON FUNCTION ops.register_run(text, text, text) IS
    'The epoch of a run, which is given one when it comes for the first time; steps of a run share it';

CREATE FUNCTION ops.lock_for_load(table_name text) RETURNS TABLE (run_id text, started_at timestamptz)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- What was given to the run, and not what the session says of itself: nobody can lock out those who come after.
    mine bigint := (SELECT r.epoch FROM ops.runs AS r WHERE r.run_id = current_setting('platform.run_id', true));
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('platform:' || lock_for_load.table_name, 0));
    IF mine IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT r.run_id, r.started_at
    FROM ops.load_fences AS fence
    JOIN ops.runs AS r ON r.run_id = fence.run_id
    WHERE fence.table_name = lock_for_load.table_name AND fence.epoch > mine;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO ops.load_fences AS fence (table_name, epoch, run_id)
    VALUES (lock_for_load.table_name, mine, current_setting('platform.run_id'))
    ON CONFLICT (table_name) DO UPDATE
    SET epoch = excluded.epoch, run_id = excluded.run_id, passed_at = excluded.passed_at
    WHERE fence.epoch < excluded.epoch;
END
$$;

COMMENT ON FUNCTION ops.lock_for_load(text) IS
    'Takes a table for a load until the transaction ends. Returns the newer run that has loaded it already, if any: the load must not go on then';

REVOKE ALL ON ops.audit_log, ops.load_fences, ops.runs, ops.repeatable_files FROM PUBLIC;
REVOKE ALL ON FUNCTION
    ops.audit(text, text, jsonb), ops.register_run(text, text, text), ops.lock_for_load(text) FROM PUBLIC;
