"""How other tools judge the file of the quality benchmark, each in the fastest of the ways that its makers document.

Run by ``platform_assets.cli.bench_quality_measure`` with the Python of an environment that holds these tools and
nothing of the platform. Only what is measured is imported.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

Rules = Mapping[str, Any]
Counts = dict[str, int]
Judge = Callable[[Path], Counts]


def _pandera(rules: Rules, library: str) -> Judge:
    """One schema, validated lazily, so that every check is made; Arrow's types are the fastest it takes from pandas."""
    frames, pa = import_module(library), import_module(f"pandera.{library}")
    typed = {"dtype_backend": "pyarrow"} if library == "pandas" else {}
    checks: dict[str, list[Any]] = {name: [] for name in rules["columns"]}
    for name, (low, high) in rules["ranges"].items():
        checks[name].append(pa.Check.in_range(low, high, error=f"{name}_within"))
    for name, values in rules["lists"].items():
        checks[name].append(pa.Check.isin(values, error=f"{name}_known"))
    for name, pattern in rules["patterns"].items():
        checks[name].append(pa.Check.str_matches(rf"^{pattern}$", error=f"{name}_shaped"))
    unique = rules["unique"]
    columns = {name: pa.Column(checks=made, nullable=False, unique=name == unique) for name, made in checks.items()}
    schema = pa.DataFrameSchema(columns)
    kinds = {"not_nullable": "present", "field_uniqueness": "shared"}

    def judge(file: Path) -> Counts:
        rows = frames.read_parquet(file, columns=rules["columns"], **typed)
        try:
            schema.validate(rows, lazy=True)
        except (pa.errors.SchemaErrors, pa.errors.SchemaError) as error:
            cases = error.failure_cases
            found = cases.groupby(["column", "check"]).size() if library == "pandas" else _counted(cases)
            return {f"{name}_{kinds[check]}" if check in kinds else check: n for (name, check), n in found.items()}
        return {}

    return judge


def _counted(cases: Any) -> dict[tuple[str, str], int]:
    return {(name, check): n for name, check, n in cases.group_by("column", "check").len().iter_rows()}


def _great_expectations(rules: Rules, library: str) -> Judge:
    """A suite on a data frame, with the least result format that still tells how many rows failed."""
    gx, gxe, pd = map(import_module, ("great_expectations", "great_expectations.expectations", library))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("orders")
    batch = asset.add_batch_definition_whole_dataframe("all")
    expected = {f"{name}_present": gxe.ExpectColumnValuesToNotBeNull(column=name) for name in rules["columns"]}
    for name, (low, high) in rules["ranges"].items():
        expected[f"{name}_within"] = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
    for name, values in rules["lists"].items():
        expected[f"{name}_known"] = gxe.ExpectColumnValuesToBeInSet(column=name, value_set=values)
    for name, pattern in rules["patterns"].items():
        expected[f"{name}_shaped"] = gxe.ExpectColumnValuesToMatchRegex(column=name, regex=rf"^{pattern}$")
    expected[f"{rules['unique']}_shared"] = gxe.ExpectColumnValuesToBeUnique(column=rules["unique"])
    suite = gx.ExpectationSuite(name="orders", expectations=list(expected.values()))
    names = {(one.expectation_type, one.column): name for name, one in expected.items()}

    def judge(file: Path) -> Counts:
        rows = pd.read_parquet(file, columns=rules["columns"])
        form = {"result_format": "BASIC", "partial_unexpected_count": 0}
        done = batch.get_batch({"dataframe": rows}).validate(suite, result_format=form)
        found = {(one.expectation_config.type, one.expectation_config.kwargs["column"]): one for one in done.results}
        return {names[key]: int(one.result["unexpected_count"]) for key, one in found.items()}

    return judge


def _pointblank(rules: Rules, library: str) -> Judge:
    """A chain of steps that keeps no extracts of failing rows, only counts them."""
    frames, pb = import_module(library), import_module("pointblank")

    def judge(file: Path) -> Counts:
        rows = frames.read_parquet(file, columns=rules["columns"])
        steps = pb.Validate(rows).col_vals_not_null(columns=rules["columns"])
        names = [f"{name}_present" for name in rules["columns"]]
        for name, (low, high) in rules["ranges"].items():
            steps = steps.col_vals_between(columns=name, left=low, right=high, na_pass=True)
            names.append(f"{name}_within")
        for name, values in rules["lists"].items():
            steps = steps.col_vals_in_set(columns=name, set=values)
            names.append(f"{name}_known")
        for name, pattern in rules["patterns"].items():
            steps = steps.col_vals_regex(columns=name, pattern=rf"^{pattern}$", na_pass=True)
            names.append(f"{name}_shaped")
        steps = steps.rows_distinct(columns_subset=rules["unique"])
        names.append(f"{rules['unique']}_shared")
        failed = steps.interrogate(collect_extracts=False).n_failed()
        return {name: int(failed[place]) for place, name in enumerate(names, start=1)}

    return judge


_TOOLS = {"pandera": _pandera, "great_expectations": _great_expectations, "pointblank": _pointblank}


def judge_of(tool: str, library: str, rules: Rules) -> Judge:
    """What counts the rows that break each rule, in a file of ``bench_quality_data``.

    Args:
        tool: Which of the three.
        library: The data frames it is given: ``pandas`` or ``polars``.
        rules: What ``bench_quality_data`` says of the columns.
    """
    return _TOOLS[tool](rules, library)
