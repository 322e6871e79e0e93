-- Who may do what. May run again at any time: at its end the rights are those written here, whatever they were before.
--
-- retail_owner    owns the platform's schemas and all that is in them; nobody works as it but the migrations
-- retail_loader   loads: reads and writes rows, and can neither create, alter, drop nor truncate
-- retail_analyst  reads the schema analytics, in which nobody is named
-- retail_auditor  reads what the platform did and how good the data are, but not the data
--
-- The roles belong to the server, and what they may do to each database. They are groups: nobody logs in as one.
-- Time limits and the like are set for each login (./platform login), because PostgreSQL does not inherit them.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['retail_owner', 'retail_loader', 'retail_analyst', 'retail_auditor'] LOOP
        IF to_regrole(wanted) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL; -- another database of this server did the same at the same moment
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'the role % does not exist, and % may not create it', wanted, current_user
                        USING ERRCODE = 'insufficient_privilege', HINT = format(
                            'Let an administrator run: CREATE ROLE %I; GRANT %I TO %I WITH ADMIN OPTION; '
                            'likewise for retail_owner, retail_loader, retail_analyst and retail_auditor.',
                            wanted, wanted, current_user);
            END;
        END IF;
    END LOOP;
    -- Who migrates hands over what it made, and goes on as the loader: it has to be a member of both. A superuser is.
    FOREACH wanted IN ARRAY ARRAY['retail_owner', 'retail_loader'] LOOP
        IF NOT pg_has_role(current_user, wanted, 'USAGE') THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
END
$$;

-- One owner for all: functions with the owner's rights then have those and no more, whoever migrated.
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT 1 AS stage, format('ALTER SCHEMA %I OWNER TO retail_owner', n.nspname) AS statement
        FROM pg_namespace AS n
        WHERE n.nspname IN ('warehouse', 'analytics', 'quality', 'ops') AND n.nspowner <> 'retail_owner'::regrole
        UNION ALL
        SELECT 2, format('ALTER %s %s OWNER TO retail_owner', CASE c.relkind
            WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
            c.oid::regclass)
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('warehouse', 'analytics', 'quality', 'ops') AND c.relowner <> 'retail_owner'::regrole
            AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            AND NOT EXISTS ( -- sequences of columns follow their table, and what an extension made is the extension's
                SELECT FROM pg_depend AS d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')))
        UNION ALL
        SELECT 3, format('ALTER ROUTINE %s OWNER TO retail_owner', p.oid::regprocedure)
        FROM pg_proc AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('warehouse', 'analytics', 'quality', 'ops') AND p.proowner <> 'retail_owner'::regrole
            AND NOT EXISTS (
                SELECT FROM pg_depend AS d
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        ORDER BY 1, 2
    LOOP
        EXECUTE made.statement;
    END LOOP;
END
$$;

-- The database itself. On a server of others, a login that does not own the database leaves this to its owner.
DO $$
DECLARE
    name text := current_database();
BEGIN
    IF pg_has_role((SELECT d.datdba FROM pg_database AS d WHERE d.datname = name), 'USAGE') THEN
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name);
        EXECUTE format(
            'GRANT CONNECT ON DATABASE %I TO retail_owner, retail_loader, retail_analyst, retail_auditor', name);
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO retail_owner, retail_loader', name);
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END
$$;

REVOKE ALL ON SCHEMA warehouse, analytics, quality, ops
    FROM PUBLIC, retail_loader, retail_analyst, retail_auditor;
REVOKE ALL ON ALL TABLES IN SCHEMA warehouse, analytics, quality, ops
    FROM PUBLIC, retail_loader, retail_analyst, retail_auditor;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA warehouse, analytics, quality, ops
    FROM PUBLIC, retail_loader, retail_analyst, retail_auditor;
REVOKE ALL ON ALL ROUTINES IN SCHEMA warehouse, analytics, quality, ops
    FROM PUBLIC, retail_loader, retail_analyst, retail_auditor;

-- retail_loader

GRANT USAGE ON SCHEMA warehouse, analytics, quality, ops TO retail_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA warehouse, analytics, quality TO retail_loader;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA warehouse, analytics, quality TO retail_loader;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA warehouse, analytics, quality TO retail_loader;
GRANT SELECT ON ops.schema_migrations, ops.repeatable_files, ops.runs, ops.load_fences TO retail_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.loaded_slices TO retail_loader;
GRANT SELECT, INSERT, UPDATE ON ops.backups TO retail_loader;
-- What else it changes in ops, it changes through functions that allow nothing else.
GRANT EXECUTE ON FUNCTION
    ops.audit(text, text, jsonb), ops.register_run(text, text, text), ops.lock_for_load(text),
    ops.can_be_put_aside(regclass), ops.put_aside(regclass), ops.put_back(regclass)
    TO retail_loader;

-- Rows go into tables, not into views: those write with their owner's rights. Statistics after a load take MAINTAIN;
-- before PostgreSQL 17 none but the owner could renew them, and autovacuum sees to it.
DO $$
DECLARE
    rights text := 'INSERT, UPDATE, DELETE';
    tables text;
BEGIN
    IF current_setting('server_version_num')::integer >= 170000 THEN
        rights := rights || ', MAINTAIN';
    END IF;
    SELECT string_agg(c.oid::regclass::text, ', ') INTO tables
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('warehouse', 'analytics', 'quality') AND c.relkind IN ('r', 'p');
    EXECUTE format('GRANT %s ON TABLE %s TO retail_loader', rights, tables);
END
$$;

-- retail_analyst. Views read as their owner: nothing else is needed for what they show.

GRANT USAGE ON SCHEMA analytics TO retail_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO retail_analyst;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA analytics TO retail_analyst;

-- retail_auditor. Of what was found out about the data, everything but the words: they may quote a line.

GRANT USAGE ON SCHEMA quality, ops TO retail_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA ops TO retail_auditor;
GRANT EXECUTE ON FUNCTION ops.audit_verify(), ops.audit_hash(ops.audit_log), ops.audit_text(ops.audit_log)
    TO retail_auditor;
DO $$
DECLARE
    told record;
BEGIN
    FOR told IN
        SELECT c.oid::regclass AS relation, string_agg(quote_ident(a.attname), ', ') AS columns
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'quality'::regnamespace AND c.relkind IN ('r', 'v')
            AND a.attname <> ALL ('{cells,note,raw}')
            AND (a.attname <> 'reasons' OR c.relname = 'gate_history')
        GROUP BY c.oid
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %s TO retail_auditor', told.columns, told.relation);
    END LOOP;
END
$$;

-- What later migrations make, from the moment they make it until this file runs again.

ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, analytics, quality
    REVOKE ALL ON TABLES FROM PUBLIC, retail_loader, retail_analyst, retail_auditor;
ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, analytics, quality
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO retail_loader;
ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, analytics, quality GRANT USAGE, SELECT ON SEQUENCES TO retail_loader;
ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT SELECT ON TABLES TO retail_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA ops GRANT SELECT ON TABLES TO retail_auditor;

-- Dagster's own tables, where they share the database: a login that only loads works with them, too. They are
-- Dagster's, which makes them after this has run.
DO $$
BEGIN
    IF to_regnamespace('dagster') IS NOT NULL
        AND pg_has_role((SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'dagster'), 'USAGE') THEN
        GRANT USAGE ON SCHEMA dagster TO retail_loader;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dagster TO retail_loader;
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA dagster TO retail_loader;
        ALTER DEFAULT PRIVILEGES IN SCHEMA dagster
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO retail_loader;
        ALTER DEFAULT PRIVILEGES IN SCHEMA dagster GRANT USAGE, SELECT ON SEQUENCES TO retail_loader;
    END IF;
END
$$;
