-- What loads need an owner for: constraints and indexes are put aside while many rows go in (warehouse/loading/bulk.py).
-- The loader's role owns nothing. These functions do it in its place, and the transaction is not committed before all
-- is put back: a table can be left without its constraints neither by accident nor on purpose.

CREATE TABLE ops.put_aside (
    put_aside_id bigint GENERATED ALWAYS AS IDENTITY,
    relation     regclass NOT NULL,
    name         text     NOT NULL,
    definition   text     NOT NULL,
    is_index     boolean  NOT NULL,
    CONSTRAINT put_aside_pkey PRIMARY KEY (put_aside_id)
);

COMMENT ON TABLE ops.put_aside IS
    'Constraints and indexes that the transaction under way has put aside and must put back; empty for everybody else';
COMMENT ON COLUMN ops.put_aside.put_aside_id IS 'Order in which they are put back';
COMMENT ON COLUMN ops.put_aside.relation IS 'Table they belong to';
COMMENT ON COLUMN ops.put_aside.name IS 'Name of the constraint, or of the index with its schema';
COMMENT ON COLUMN ops.put_aside.definition IS 'Definition as PostgreSQL writes it';
COMMENT ON COLUMN ops.put_aside.is_index IS 'Whether it is an index without a constraint';

CREATE FUNCTION ops.refuse_what_is_put_aside() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM ops.put_aside AS aside WHERE aside.put_aside_id = NEW.put_aside_id) THEN
        RAISE EXCEPTION '% of % has not been put back', NEW.name, NEW.relation
            USING ERRCODE = 'integrity_constraint_violation', HINT = 'Call ops.put_back before you commit.';
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION ops.refuse_what_is_put_aside() IS 'Refuses the commit of what was put aside and not put back';

CREATE CONSTRAINT TRIGGER put_aside_is_put_back AFTER INSERT ON ops.put_aside
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ops.refuse_what_is_put_aside();

-- Ordinary tables of the platform only; of those, what nothing else depends on: neither a view that groups by the
-- primary key nor a foreign key of another table.
CREATE FUNCTION ops.can_be_put_aside(relation regclass)
RETURNS TABLE (name text, definition text, is_index boolean, refers_to regclass)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    WITH ours AS (
        SELECT c.oid
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = relation AND c.relkind = 'r' AND NOT c.relispartition
            AND n.nspname IN ('warehouse', 'analytics', 'quality')
    )
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), true, NULL::regclass
    FROM pg_index AS i
    JOIN ours ON ours.oid = i.indrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
    UNION ALL
    SELECT c.conname::text, pg_get_constraintdef(c.oid), false, nullif(c.confrelid, 0)::regclass
    FROM pg_constraint AS c
    JOIN ours ON ours.oid = c.conrelid
    WHERE c.contype IN ('p', 'u', 'x', 'f')
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = c.oid AND d.deptype = 'n')
        AND NOT EXISTS (
            SELECT FROM pg_constraint AS other
            WHERE other.contype = 'f' AND other.conindid = c.conindid AND c.contype <> 'f')
    ORDER BY 3 DESC, 4 NULLS FIRST, 1
$$;

COMMENT ON FUNCTION ops.can_be_put_aside(regclass) IS
    'Constraints and indexes of a table of the platform that can be put aside, and the tables they refer to';

CREATE FUNCTION ops.put_aside(relation regclass) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    aside   record;
    drops   text[] := '{}';
    dropped integer := 0;
BEGIN
    FOR aside IN SELECT can.* FROM ops.can_be_put_aside(relation) AS can LOOP
        INSERT INTO ops.put_aside (relation, name, definition, is_index)
        VALUES (relation, aside.name, aside.definition, aside.is_index);
        dropped := dropped + 1;
        IF aside.is_index THEN
            EXECUTE format('DROP INDEX %s', aside.name);
        ELSE
            drops := drops || format('DROP CONSTRAINT %I', aside.name);
        END IF;
    END LOOP;
    IF cardinality(drops) > 0 THEN
        EXECUTE format('ALTER TABLE %s %s', relation, array_to_string(drops, ', '));
    END IF;
    RETURN dropped;
END
$$;

COMMENT ON FUNCTION ops.put_aside(regclass) IS
    'Puts constraints and indexes of a table aside, until put_back in the same transaction; returns how many';

CREATE FUNCTION ops.put_back(relation regclass) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    aside record;
    adds  text[] := '{}';
    added integer := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM ops.put_aside AS taken WHERE taken.relation = put_back.relation) THEN
        RETURN 0;
    END IF;
    -- Checking foreign keys is one join; the planner is to know what it joins.
    EXECUTE format('ANALYZE %s', put_back.relation);
    FOR aside IN
        WITH taken AS (
            DELETE FROM ops.put_aside AS gone WHERE gone.relation = put_back.relation RETURNING gone.*
        )
        SELECT taken.* FROM taken ORDER BY taken.put_aside_id
    LOOP
        added := added + 1;
        IF aside.is_index THEN
            EXECUTE aside.definition;
        ELSE
            adds := adds || format('ADD CONSTRAINT %I %s', aside.name, aside.definition);
        END IF;
    END LOOP;
    IF cardinality(adds) > 0 THEN
        EXECUTE format('ALTER TABLE %s %s', put_back.relation, array_to_string(adds, ', '));
    END IF;
    RETURN added;
END
$$;

COMMENT ON FUNCTION ops.put_back(regclass) IS
    'Puts back what put_aside took, as it was; fails when the rows break a constraint; returns how many';

REVOKE ALL ON FUNCTION
    ops.refuse_what_is_put_aside(), ops.can_be_put_aside(regclass), ops.put_aside(regclass), ops.put_back(regclass)
    FROM PUBLIC;
