"""The decisions: what each role may do with every relation of the platform, and statements it must be refused.

A new table or view belongs in ``RELATIONS``; the tests fail until somebody has decided who may see and change it.
"""

READ = frozenset({"SELECT"})
WRITE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
LOAD = WRITE | {"MAINTAIN"}
VERBS = (*sorted(LOAD), "TRUNCATE", "REFERENCES", "TRIGGER")

RELATIONS = {
    # Rows about persons and sales, in clear: the loader's alone.
    "warehouse": {
        "tables": "dim_channel dim_customer dim_date dim_location dim_product fct_customer_interactions fct_sales",
        "views": "sales_measures",
    },
    # Nobody is named here: open to analysts.
    "analytics": {
        "tables": "rfm_scores rfm_segments rfm_migration rfm_stability"
        " lifetime_values lifetime_totals lifetime_models lifetime_groups"
        " churn_rates churn_evaluation churn_calibration retention_actions retention_measurement"
        " customer_360 customer_360_balance"
        " product_performance price_changes product_affinity category_affinity category_trends category_changes"
        " gone_products substitutes"
        " kpis kpi_values retention_cohorts second_order repeat_rates"
        " revenue_series revenue_forecasts forecast_skill forecast_coverage forecast_backtest"
        " daily_measures incidents incident_parts order_outliers"
        " sales_changes sales_contributions insights insight_reports insight_placebo",
        "views": "customer_summary data_freshness dim_channel dim_customer dim_date dim_location dim_product"
        " fct_customer_interactions fct_sales loads sales_by_category_month sales_by_channel_month"
        " sales_by_country_month sales_by_day sales_by_month sales_by_product sales_by_segment_month"
        " sales_then_and_now",
    },
    # What was found out about the data is the auditor's, too; what the lines said is not.
    "quality": {
        "tables": "check_results failing_samples gate_history profiles quarantine quarantine_history row_ledger",
        "views": "failing_rows quarantine_status rule_costs score_trend scorecard",
    },
    # What the platform did: written through functions, but for the record of files.
    "ops": {
        "tables": "audit_log backups load_fences loaded_slices put_aside repeatable_files runs schema_migrations",
        "views": "file_history",
    },
}
"""Every relation of the platform. A new one belongs here, once it is decided who may see and change it."""

LOADER_IN_OPS = {
    "ops.loaded_slices": WRITE,
    "ops.backups": WRITE - {"DELETE"},
    "ops.schema_migrations": READ,
    "ops.repeatable_files": READ,
    "ops.runs": READ,
    "ops.load_fences": READ,
}
HIDDEN_FROM_AUDITORS = {
    "quality.check_results": {"note"},
    "quality.failing_rows": {"raw", "reasons"},
    "quality.failing_samples": {"cells"},
    "quality.quarantine": {"raw", "reasons"},
    "quality.quarantine_history": {"raw", "reasons"},
    "quality.quarantine_status": {"raw", "reasons"},
    "quality.rule_costs": {"note"},
    "quality.score_trend": {"note"},
    "quality.scorecard": {"note"},
}
"""Words that may quote a line; every other column of the schema ``quality`` is theirs to read."""
FUNCTIONS = {
    "retail_loader": {"audit", "register_run", "lock_for_load", "can_be_put_aside", "put_aside", "put_back"},
    "retail_analyst": set(),
    "retail_auditor": {"audit_verify", "audit_hash", "audit_text"},
}
"""Functions of ``ops`` that a role may call."""


def kinds() -> dict[str, str]:
    """Tables or views, by ``schema.name``."""
    return {
        f"{schema}.{name}": kind
        for schema, of_kind in RELATIONS.items()
        for kind, names in of_kind.items()
        for name in names.split()
    }


def expected(role: str, relation: str, kind: str) -> frozenset[str]:
    schema = relation.split(".", maxsplit=1)[0]
    if role == "retail_loader":
        return LOADER_IN_OPS.get(relation, frozenset()) if schema == "ops" else LOAD if kind == "tables" else READ
    if role == "retail_analyst":
        return READ if schema == "analytics" else frozenset()
    # Of quality, they read columns; has_table_privilege tells of whole tables.
    return READ if schema == "ops" else frozenset()


FORBIDDEN_TO_ALL = [
    "CREATE TABLE warehouse.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "CREATE TABLE analytics.mine AS SELECT 1 AS x",
    "CREATE VIEW analytics.mine AS SELECT 1 AS x",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION ops.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION ops.put_aside(relation regclass) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION file_fdw",
    "CREATE ROLE friend LOGIN",
    "CREATE DATABASE mine",
    "CREATE INDEX ON warehouse.fct_sales (net_amount)",
    "CREATE RULE r AS ON INSERT TO warehouse.fct_sales DO INSTEAD NOTHING",
    "CREATE TRIGGER t BEFORE INSERT ON warehouse.fct_sales FOR EACH ROW EXECUTE FUNCTION ops.refuse_to_change_audit()",
    "CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION ops.refuse_to_change_audit()",
    "DROP TABLE warehouse.fct_sales",
    "DROP TABLE ops.audit_log",
    "DROP SCHEMA warehouse CASCADE",
    "DROP VIEW analytics.sales_by_day",
    "DROP FUNCTION ops.put_back(regclass)",
    "DROP OWNED BY retail_owner",
    "REASSIGN OWNED BY retail_owner TO CURRENT_USER",
    "TRUNCATE warehouse.fct_sales",
    "TRUNCATE quality.quarantine_history",
    "TRUNCATE ops.audit_log",
    "ALTER TABLE warehouse.fct_sales DROP CONSTRAINT fct_sales_pkey",
    "ALTER TABLE warehouse.fct_sales ADD COLUMN x int",
    "ALTER TABLE warehouse.fct_sales DISABLE TRIGGER ALL",
    "ALTER TABLE warehouse.fct_sales OWNER TO CURRENT_USER",
    "ALTER TABLE ops.audit_log DISABLE TRIGGER audit_log_is_append_only",
    "DROP TRIGGER audit_log_is_append_only ON ops.audit_log",
    "DROP TRIGGER put_aside_is_put_back ON ops.put_aside",
    "ALTER FUNCTION ops.put_aside(regclass) SET search_path = public",
    "INSERT INTO ops.audit_log SELECT * FROM ops.audit_log",
    "UPDATE ops.audit_log SET kind = 'nothing'",
    "DELETE FROM ops.audit_log",
    "MERGE INTO ops.audit_log AS a USING (SELECT 1) AS x ON true WHEN MATCHED THEN DELETE",
    "COPY ops.audit_log FROM STDIN",
    "UPDATE ops.schema_migrations SET sha256 = ''",
    "DELETE FROM ops.load_fences",
    "UPDATE ops.runs SET host = 'elsewhere'",
    "SET ROLE retail_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "GRANT retail_owner TO CURRENT_USER",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
    "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'",
    "ALTER ROLE postgres PASSWORD 'mine'",
    "ALTER ROLE retail_owner LOGIN",
    "ALTER SYSTEM SET fsync = off",
    "ALTER DATABASE migrated SET search_path = public",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/anything'",
    "CREATE TEMPORARY TABLE t (x text); COPY t FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_reload_conf()",
    "LOAD '/tmp/anything.so'",
]
FORBIDDEN_TO_READERS = [
    "SELECT customer_name FROM warehouse.dim_customer",
    "SELECT 1 FROM warehouse.fct_sales",
    "SELECT raw FROM quality.quarantine",
    "SELECT * FROM quality.quarantine_history",
    "SELECT q FROM quality.quarantine AS q",
    "SELECT raw FROM quality.failing_rows",
    "SELECT cells FROM quality.failing_samples",
    "COPY quality.quarantine TO STDOUT",
    "INSERT INTO analytics.rfm_segments (segment) VALUES ('x')",
    "DELETE FROM analytics.rfm_scores",
    "UPDATE analytics.fct_sales SET net_amount = 0",
    "DELETE FROM quality.check_results",
    "BEGIN; LOCK TABLE analytics.rfm_scores IN ACCESS EXCLUSIVE MODE",
    "CREATE TEMPORARY TABLE t (x int)",
    "SET ROLE retail_loader",
    "SELECT ops.audit('load', 'nothing', '{}')",
    "SELECT * FROM ops.register_run('a', 'b', 'c')",
    "SELECT * FROM ops.lock_for_load('warehouse.fct_sales')",
]
FORBIDDEN = {
    "loader": [
        *FORBIDDEN_TO_ALL,
        "SELECT * FROM ops.audit_log",
        "SELECT * FROM ops.file_history",
        "UPDATE analytics.fct_sales SET net_amount = 0",
        "SET ROLE retail_auditor",
    ],
    "analyst": [*FORBIDDEN_TO_ALL, *FORBIDDEN_TO_READERS, "SELECT 1 FROM quality.scorecard", "SELECT 1 FROM ops.runs"],
    "auditor": [*FORBIDDEN_TO_ALL, *FORBIDDEN_TO_READERS, "SELECT 1 FROM analytics.rfm_scores"],
}
